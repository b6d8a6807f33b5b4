// The guide to logins does what it says: its settings, its scripts and its commands are run as they
// stand there. Only hosts, ports and paths are put in the place of others, each named where it is.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'

import { Auth } from '@auth/core'
import cookieParser from 'cookie-parser'
import { EventSource as PackagedEventSource } from 'eventsource'
import express from 'express'
import * as jose from 'jose'

import { dataDirectory } from '../browser/hub.mjs'
import {
  bearer, cookie, expectStatus, fresh, hubWith, next, stream, untilStatus,
} from './asking.mjs'
import { Guide, checkConfig, runScript, runShell, substituted } from './guide.mjs'
import { KeyServer } from './issuers.mjs'
import { NAMES, authJs, nextAuth } from './sessions.mjs'
import { sign } from './tokens.mjs'

const HUB = 'https://events.example.org'
const PAGE = 'https://app.example.org'
const SECRET = 'not-a-secret-but-one-of-the-tests-0002'
const guide = await Guide.read()

/** Follows a table of the settings that is about an application: time for any machine, however busy. */
const WITH_PATIENCE = 'timeout = "30s"'

/** A hub with settings of the guide, and with the secret of its section on tokens. */
const hubOf = (t, settings) => hubWith(t, settings, { TIDINGS_AUTH_SECRET: SECRET })

/** A token as the guide makes it, with these claims besides. */
const tokenWith = (claims, times = fresh()) =>
  new jose.SignJWT({ sub: 'u1', ...claims, ...times })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(SECRET))

/** `EventSource` of a browser that has these cookies and shows this page. */
const eventSourceOf = (headers) =>
  class extends PackagedEventSource {
    constructor(url, options = {}) {
      const fetchAs = async (address, init) => {
        const sent = options.withCredentials ? headers : { origin: headers.origin }
        const answer = await fetch(address, { ...init, headers: { ...init.headers, ...sent } })
        if (options.withCredentials) {
          assert.equal(answer.headers.get('access-control-allow-origin'), headers.origin)
          assert.equal(answer.headers.get('access-control-allow-credentials'), 'true')
        }
        return answer
      }
      super(url, { ...options, fetch: fetchAs })
    }
  }

/** The data of the next event of a type. */
async function heard(events, type) {
  const failed = once(events, 'error').then(([error]) => Promise.reject(error))
  const [event] = await Promise.race([once(events, type), failed])
  return JSON.parse(event.data)
}

/** Serves an application until the test ends, and says where. */
async function served(t, app) {
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${server.address().port}`
}

for (const [index, { title, code }] of guide.settings().entries()) {
  test(`the settings of block ${index + 1}, under "${title}", can be used`, async (t) => {
    const directory = await dataDirectory(t)
    const file = join(directory, 'secret')
    await writeFile(file, SECRET, { mode: 0o600 })
    const hasSecret = code.includes('secret_file')
    const settings = hasSecret ? substituted(code, { '/run/secrets/tidings': file }) : code
    const variables = hasSecret ? {} : { TIDINGS_AUTH_SECRET: SECRET, AUTH_SECRET: SECRET }
    assert.equal(await checkConfig(directory, settings, variables), '')
  })
}

test('sessions of NextAuth and Auth.js open a stream in the page', async (t) => {
  const [settings] = guide.take('NextAuth / Auth.js', 'toml')
  const [command] = guide.take('NextAuth / Auth.js', 'sh')
  const [, variable] = /^(\w+)=\.\.\. tidings serve$/m.exec(command)
  const hub = await hubWith(t, settings, { [variable]: SECRET })
  const [script] = guide.take('NextAuth / Auth.js', 'js')
  const page = substituted(script, { [HUB]: hub.url })
  for (const session of [
    [NAMES.authJs, await authJs(NAMES.authJs, SECRET, { sub: 'u1' }, 3_600)],
    [NAMES.nextAuth, await nextAuth(SECRET, { sub: 'u1' }, 3_600)],
  ]) {
    const EventSource = eventSourceOf({ ...cookie(session), origin: PAGE })
    const events = await runScript(page, { EventSource }, 'events')
    const hello = await heard(events, 'tidings.hello')
    assert.equal(hello.topics, undefined, 'all that was asked is granted')
    events.close()
    await expectStatus(403, hub, cookie(session), ['user/u2/inbox'])
  }
})

test('a session cookie of another name is read, with the old secret too', async (t) => {
  const [, settings] = guide.take('NextAuth / Auth.js', 'toml')
  const rule = '[[rule]]\nroles = ["EDITOR"]\nsubscribe = ["user/{sub}"]\n'
  const hub = await hubWith(t, `${settings}\n${rule}`)
  for (const age of ['new', 'old']) {
    const secret = `the-${age}-secret-of-at-least-32-bytes`
    const claims = { sub: 'unused', id: 'u1', permissions: ['EDITOR'] }
    const session = await authJs('portal.session', secret, claims, 3_600)
    await expectStatus(200, hub, cookie(['portal.session', session]), ['user/u1'])
  }
})

test('a token of your own is made, and grants what it says', async (t) => {
  const [settings] = guide.take('Your own JWT', 'toml')
  const [script] = guide.take('Your own JWT', 'js')
  const directory = await dataDirectory(t)
  const file = join(directory, 'secret')
  await writeFile(file, SECRET, { mode: 0o600 })
  const hub = await hubWith(t, substituted(settings, { '/run/secrets/tidings': file }))
  const process = { env: { TIDINGS_AUTH_SECRET: SECRET } }
  const token = await runScript(script, { process }, 'token', { jose })
  await expectStatus(200, hub, bearer(token), ['project/42/chat'])
  await expectStatus(403, hub, bearer(token), ['project/43/chat'])
})

test('a token of your own key pair is accepted', async (t) => {
  const [, settings] = guide.take('Your own JWT', 'toml')
  const server = await KeyServer.start(t)
  const key = await server.rotate('own', 'own-1', 'ES256')
  const published = 'https://api.example.org/.well-known/jwks.json'
  const hub = await hubWith(t, substituted(settings, { [published]: server.addressOf('own') }))
  const claims = { iss: 'https://api.example.org', aud: 'events', sub: 'u1', ...fresh() }
  await expectStatus(200, hub, bearer(await sign(key, claims)))
  await expectStatus(401, hub, bearer(await sign(key, { ...claims, aud: 'others' })))
})

test('a session of your own is asked of the application', async (t) => {
  const [settings] = guide.take('Your own session', 'toml')
  const [script] = guide.take('Your own session', 'js')
  const app = express().use(cookieParser())
  const sessions = new Map([['s1', { id: 'u1', roles: ['EDITOR'] }]])
  await runScript(script, { app, sessions }, 'undefined')
  const url = await served(t, app)
  const file = substituted(settings, { 'http://127.0.0.1:3000': url })
  const hub = await hubWith(t, `${file}\n${WITH_PATIENCE}\n`)
  await expectStatus(200, hub, cookie(['sid', 's1']), ['user/u1/inbox'])
  await expectStatus(403, hub, cookie(['sid', 's1']), ['user/u2/inbox'])
  await expectStatus(401, hub, cookie(['sid', 's2']))
})

test('the session of Auth.js is asked of where it is anyway', async (t) => {
  const [, settings] = guide.take('Your own session', 'toml')
  const config = {
    providers: [],
    secret: SECRET,
    trustHost: true,
    basePath: '/api/auth',
    logger: { debug() {}, warn() {}, error() {} },
    callbacks: {
      session: ({ session, token }) => {
        Object.assign(session.user, { id: token.sub, roles: token.roles })
        return session
      },
    },
  }
  const app = express().get('/api/auth/session', async (request, response) => {
    const { host, cookie: cookies } = request.headers
    const headers = cookies ? { cookie: cookies } : {}
    const answer = await Auth(new Request(`http://${host}${request.url}`, { headers }), config)
    response.status(answer.status).type('json').send(await answer.text())
  })
  const url = await served(t, app)
  const rule = '[[rule]]\nroles = ["EDITOR"]\nsubscribe = ["user/{sub}"]\n'
  const asked = substituted(settings, { 'http://127.0.0.1:3000': url })
  const file = `${asked}\n${WITH_PATIENCE}\n${rule}`
  const hub = await hubWith(t, file)
  const session = await authJs(NAMES.authJs, SECRET, { sub: 'u1', roles: ['EDITOR'] }, 3_600)
  await expectStatus(200, hub, cookie([NAMES.authJs, session]), ['user/u1'])
  await expectStatus(401, hub, cookie([NAMES.authJs, 'nonsense']))
})

test('a program gets a key, and loses it', async (t) => {
  const [command] = guide.take('Programs: API keys', 'sh')
  const hub = await hubOf(t, '')
  const { stdout } = await runShell(hub.directory, command)
  const key = stdout.trim()
  const publish = async (headers) => {
    const answer = await fetch(`${hub.url}/v1/events`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ type: 'paid', topics: ['invoice/7'], data: {} }),
    })
    return answer.status
  }
  await untilStatus(200, hub, bearer(key))
  assert.equal(await publish(bearer(key)), 200)
  assert.equal(await publish({ 'x-api-key': key }), 200)
  const listed = await runShell(hub.directory, 'tidings key list')
  const [id] = listed.stdout.split(/\s/)
  assert.match(listed.stdout, /billing/)
  await runShell(hub.directory, `tidings key revoke ${id}`)
  await untilStatus(401, hub, bearer(key))
  assert.equal(await publish({ 'x-api-key': key }), 401)
})

test('rules grant what claims fill in, and nothing for those that do not fit', async (t) => {
  const [settings] = guide.take('What may they read?', 'toml')
  const hub = await hubOf(t, settings)
  const member = bearer(await tokenWith({ workspace: 'w1' }))
  await expectStatus(200, hub, member, ['workspace/w1/board'])
  await expectStatus(200, hub, member, ['user/u1/inbox'])
  await expectStatus(403, hub, member, ['workspace/w2/board'])
  for (const workspace of ['w1/x', '*', '{w1}', undefined]) {
    const odd = bearer(await tokenWith({ workspace }))
    await expectStatus(403, hub, odd, ['workspace/w1/board'])
    await expectStatus(200, hub, odd, ['user/u1/inbox'])
  }
  const administrator = bearer(await tokenWith({ roles: ['ADMIN'] }))
  await expectStatus(200, hub, administrator, ['workspace/w2/board'])
  const listed = await fetch(`${hub.url}/v1/revocations`, { headers: administrator })
  assert.equal(listed.status, 200, await listed.text())
})

test('a ticket opens a stream without headers, and a new credential prolongs it', async (t) => {
  const hub = await hubOf(t, `[cors]\norigins = ["${PAGE}"]\n`)
  const [tickets] = guide.take(
    'Native `EventSource`, and every other client without headers', 'js')
  const ends = Math.floor(Date.now() / 1000) + 600
  const token = await tokenWith({ tidings: { subscribe: ['a'] } }, { exp: ends })
  const EventSource = eventSourceOf({ origin: PAGE })
  const page = substituted(tickets, { [HUB]: hub.url })
  const events = await runScript(page, { token, EventSource }, 'events')
  const hello = await heard(events, 'tidings.hello')
  assert.equal(hello.expiresAt, ends * 1000, 'it ends with the credential behind it')
  events.close()

  const own = stream(hub, 'topics=a', bearer(token))
  const { connectionId } = await next(own, 'tidings.hello')
  const [renewal] = guide.take('When a credential ends', 'js')
  const newToken = await tokenWith({ tidings: { subscribe: ['a'] } })
  let renewed
  const watched = async (...request) => (renewed = await fetch(...request))
  const script = substituted(renewal, { [HUB]: hub.url })
  await runScript(script, { fetch: watched, connectionId, newToken }, 'undefined')
  assert.equal(renewed.status, 200, await renewed.text())
  await own.return()

  const answer = await fetch(`${hub.url}/v1/tokens`, { method: 'POST', headers: bearer(token) })
  const { token: streamToken } = await answer.json()
  const app = stream(hub, 'topics=a', bearer(streamToken))
  assert.equal((await next(app, 'tidings.hello')).expiresAt, ends * 1000)
  await app.return()
})

test('what is not accepted is explained', async (t) => {
  const hub = await hubOf(t, '')
  const [command] = guide.take('It does not work', 'sh')
  const explain = (token) =>
    runShell(hub.directory, command, { TOKEN: token, TIDINGS_AUTH_SECRET: SECRET })
  const good = await tokenWith({ tidings: { subscribe: ['project/*'] } })
  const { stdout } = await explain(good)
  assert.match(stdout, /accepted/)
  assert.match(stdout, /`project\/42` is allowed/)
  await runShell(hub.directory, 'tidings revoke subject:u1')
  await untilStatus(401, hub, bearer(good))
  const refused = await explain(good).catch((error) => error)
  assert.equal(refused.code, 1)
  assert.match(refused.stdout, /revoked/)
  assert.ok(!`${refused.stdout}${refused.stderr}`.includes(good))
})

test('no block of the guide is left that nothing has run', () => {
  assert.deepEqual(guide.left(), [])
})
