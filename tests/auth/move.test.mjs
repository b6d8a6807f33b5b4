// The guides for teams that move from their own endpoint do what they say: their settings, commands,
// servers and clients are run as they stand there, against a hub. Only hosts and paths of files are
// put in the place of others.

import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'

import { EventSource as PackagedEventSource } from 'eventsource'
import { SignJWT } from 'jose'

import { dataDirectory } from '../browser/hub.mjs'
import { cookie, fresh, hubWith, untilStatus } from './asking.mjs'
import { Guide, checkConfig, runScript, runShell, substituted } from './guide.mjs'
import { NAMES, nextAuth } from './sessions.mjs'

const SECRET = 'not-a-secret-but-one-of-the-tests-0004'
const HUB = 'http://127.0.0.1:7878'
const PATIENCE_MS = 60_000

const read = (name) => Guide.read(new URL(`../../docs/guides/move/${name}.md`, import.meta.url))

/** A token of the team's own server. */
const tokenOf = (claims) =>
  new SignJWT({ sub: 'u1', ...fresh(), ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(SECRET))

/** The hub of a guide, and the key that its server publishes with, made as the guide says. */
async function follow(t, guide, variables = {}) {
  // The code that the team had is shown, and not run.
  guide.take('Before', 'js')
  const [settings] = guide.take('Point it here', 'toml')
  const commands = guide.take('Point it here', 'sh')
  const path = /secret_file = "([^"]*)"/.exec(settings)?.[1]
  const directory = await dataDirectory(t)
  const file = join(directory, 'secret')
  await writeFile(file, SECRET, { mode: 0o600 })
  const hub = await hubWith(t, path ? substituted(settings, { [path]: file }) : settings, variables)
  const { stdout } = await runShell(hub.directory, commands.at(-1))
  const key = stdout.trim()
  await untilStatus(200, hub, { authorization: `Bearer ${key}` })
  return { hub, commands, process: { env: { TIDINGS_KEY: key } } }
}

/** A function of the guide's server, after. */
function server(guide, { hub, process }, name, rest = '') {
  const [script] = guide.take('Your server afterwards', 'js')
  return runScript(substituted(script, { [HUB]: hub.url }) + rest, { process }, name)
}

/** The guide's client, whose stream ends with the test. */
async function client(t, guide, { hub }, host, scope, result = 'events', index = 0) {
  const script = guide.take('Your client stays', 'js')[index]
  const made = await runScript(substituted(script, { [host]: hub.url }), scope, result)
  if (result === 'events') t.after(() => made.close())
  return made
}

/** `EventSource` whose requests have these headers. */
const eventSourceWith = (headers) =>
  class extends PackagedEventSource {
    constructor(url, options = {}) {
      const fetchAs = (address, init) =>
        fetch(address, { ...init, headers: { ...init.headers, ...headers } })
      super(url, { ...options, fetch: fetchAs })
    }
  }

/** What a client's callback is called with, call by call. */
function calls() {
  const made = []
  const emitter = new EventEmitter()
  const callback = (...args) => {
    made.push(args)
    emitter.emit('call')
  }
  const next = async (count) => {
    const signal = AbortSignal.timeout(PATIENCE_MS)
    while (made.length < count) await once(emitter, 'call', { signal })
    return made
  }
  return { callback, next }
}

/** Waits until a stream is open. */
const opened = (events) =>
  new Promise((resolve, reject) => {
    events.addEventListener('open', resolve)
    events.addEventListener('error', reject)
    if (events.readyState === 1) resolve()
  })

for (const name of ['README', 'chat', 'story-editor', 'dashboard', 'generation-service', 'portal']) {
  test(`the settings of ${name} can be used`, async (t) => {
    const guide = await read(name)
    assert.ok(guide.settings().length > 0)
    for (const { code } of guide.settings()) {
      const directory = await dataDirectory(t)
      const file = join(directory, 'secret')
      await writeFile(file, SECRET, { mode: 0o600 })
      const path = /secret_file = "([^"]*)"/.exec(code)?.[1]
      const settings = path ? substituted(code, { [path]: file }) : code
      const variables = path ? {} : { TIDINGS_AUTH_SECRET: SECRET }
      assert.equal(await checkConfig(directory, settings, variables), '')
    }
  })
}

test('S0: a chat moves, and a sender sees its own message come back', async (t) => {
  const guide = await read('chat')
  const moved = await follow(t, guide)
  const deliver = await server(guide, moved, 'deliver')
  const shown = calls()
  const delivered = calls()
  const members = []
  for (const [me, workspace_id] of [['u1', 'w1'], ['u2', 'w1'], ['u3', 'w2']]) {
    const token = await tokenOf({ sub: me, workspace_id })
    const scope = {
      EventSource: PackagedEventSource,
      token,
      me,
      show: (message) => shown.callback(me, message),
      markDelivered: delivered.callback,
    }
    members.push(await client(t, guide, moved, 'https://chat.example.org', scope))
  }
  await Promise.all(members.map(opened))
  const message = { id: 'm-1', from: 'u1', text: 'Hello' }
  await deliver('w1', 'general', message)
  await deliver('w1', 'general', message)
  await deliver('w2', 'general', { id: 'm-2', from: 'u3', text: 'Elsewhere' })
  assert.deepEqual(await delivered.next(2), [['m-1'], ['m-2']])
  const all = await shown.next(3)
  assert.deepEqual(
    all.map(([me, { id }]) => `${me} ${id}`).sort(),
    ['u1 m-1', 'u2 m-1', 'u3 m-2'],
  )
  assert.deepEqual(guide.left(), [])
})

test('S1: a story editor moves, and each session opens one stream', async (t) => {
  const guide = await read('story-editor')
  const moved = await follow(t, guide)
  const tell = await server(guide, moved, 'tell')
  const added = calls()
  const addChapter = added.callback
  const scope = { EventSource: PackagedEventSource, login: await tokenOf({}), addChapter }
  const events = await client(t, guide, moved, 'https://stories.example.org', scope)
  await opened(events)
  await tell('u2', 'chapter.created', { title: 'Of another' })
  await tell('u1', 'other.type', { title: 'Filtered' })
  await tell('u1', 'chapter.created', { title: 'One' })
  assert.deepEqual(await added.next(1), [[{ title: 'One' }]])
  const again = await fetch(events.url)
  assert.equal(again.status, 401)
  assert.equal((await again.json()).detail, 'invalid or expired session')
  assert.deepEqual(guide.left(), [])
})

test('S2: a dashboard moves, and polling agrees with its stream', async (t) => {
  const guide = await read('dashboard')
  const moved = await follow(t, guide, { NEXTAUTH_SECRET: SECRET })
  assert.match(moved.commands[0], /^NEXTAUTH_SECRET=\.\.\. tidings serve$/m)
  const alert = await server(guide, moved, 'alert')
  const session = await nextAuth(SECRET, { sub: 'u1', roles: ['OPS'] }, 3_600)
  const inCookie = { ...cookie([NAMES.nextAuth, session]), origin: 'https://ops.example.org' }
  const seen = calls()
  const clients = calls()
  const scope = {
    EventSource: eventSourceWith(inCookie),
    setClient: clients.callback,
    showAlert: seen.callback,
  }
  const since = Date.now()
  const host = 'https://ops.example.org'
  await opened(await client(t, guide, moved, host, scope))
  await alert('alert', { n: 1 })
  await alert('alert', { n: 2 }, { role: 'OPS' })
  await alert('alert', { n: 0 }, { user: 'u2' })
  await alert('alert', { n: 3 }, { user: 'u1' })
  const alerts = (await seen.next(3)).map(([event]) => event)
  assert.deepEqual(alerts.map(({ data }) => data.n), [1, 2, 3])
  assert.ok((await clients.next(1))[0][0].length > 10)
  const asPage = (url, options) => {
    assert.equal(options.credentials, 'include')
    return fetch(url, { headers: inCookie })
  }
  const polled = await client(t, guide, moved, host, { fetch: asPage, since }, 'polled', 1)
  assert.deepEqual(polled.map(({ cursor, ...event }) => event), alerts)
  assert.deepEqual(guide.left(), [])
})

test('S3: a generation service moves, and a page that opens late sees all of its job', async (t) => {
  const guide = await read('generation-service')
  const moved = await follow(t, guide)
  // The guide's own first event, and what the job emits before the page is there.
  const rest = '\nconst result = { emit, started };'
  const { emit, started } = await server(guide, moved, 'result', rest)
  // A shard that is late leaves the count open.
  assert.ok([0, null].includes(started.subscribers))
  await emit('42', 'progress', { percent: 10 })
  const shown = calls()
  const scope = {
    EventSource: PackagedEventSource,
    token: await tokenOf({ project: '42' }),
    started,
    showProgress: shown.callback,
  }
  const host = 'https://generate.example.org'
  await opened(await client(t, guide, moved, host, scope))
  await emit('42', 'progress', { percent: 20 })
  assert.deepEqual((await shown.next(2)).map(([{ percent }]) => percent), [10, 20])

  const [ask, hold] = guide.take('Waiting for the page', 'js')
  const asked = substituted(ask, { [HUB]: moved.hub.url })
  const subscribers = await runScript(asked, { process: moved.process }, 'subscribers')
  assert.ok([1, null].includes(subscribers))
  const held = await runScript(hold, { emit }, 'held')
  assert.ok([1, null].includes(held.subscribers))
  await moved.hub.logged(/no connections.*project\/42|project\/42.*no connections/)
  await moved.hub.logged(/connection added.*topic="?project\/42"?.*remaining=1/)
  assert.deepEqual(guide.left(), [])
})

test('S4: a portal moves, and foreign ids are no error', async (t) => {
  const guide = await read('portal')
  const moved = await follow(t, guide)
  const notify = await server(guide, moved, 'notify')
  const shown = calls()
  const scope = {
    EventSource: PackagedEventSource,
    token: await tokenOf({}),
    lastEventId: '4711',
    show: shown.callback,
  }
  const events = await client(t, guide, moved, 'https://portal.example.org', scope)
  await opened(events)
  await notify('u1', 'notification.created', { n: 1 })
  await notify('u2', 'notification.created', { n: 2 })
  await notify(null, 'system.announcement', { n: 3 })
  const all = await shown.next(2)
  assert.deepEqual(all.map(([type, { n }]) => [type, n]), [
    ['notification.created', 1],
    ['system.announcement', 3],
  ])
  assert.match(all[0][2], /^\d+-/)
  assert.deepEqual(guide.left(), [])
})
