// Clients that were made for five other servers open their streams here, unchanged: a plain
// `EventSource` in Chromium on a page of another origin, the same in Node, and `curl`.

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, describe, test } from 'node:test'

import { startBrowser } from './chromium.mjs'
import { byCurl, inBrowser, inNode } from './clients.mjs'
import { dataDirectory, startHub } from './hub.mjs'

const SECRET = 'a secret of the tests of profiles, long enough'

const base64 = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A token as the users' own servers sign it. */
function token(claims) {
  const times = { iat: Math.floor(Date.now() / 1000), exp: Math.floor(Date.now() / 1000) + 3_600 }
  const text = `${base64({ alg: 'HS256', typ: 'JWT' })}.${base64({ ...times, ...claims })}`
  return `${text}.${createHmac('sha256', SECRET).update(text).digest('base64url')}`
}

const server = token({
  sub: 'server',
  tidings: { publish: ['**', '@user/*', '@role/*', '@all'] },
})
const member = token({ sub: 'u1', workspace_id: 'w1', tidings: { subscribe: ['project/42'] } })
const stranger = token({ sub: 'u2', workspace_id: 'w2' })

/** What each client opens, and the event that it waits for there. */
const PROFILES = {
  'S0 chat': {
    open: () => `/events?access_token=${member}`,
    foreign: () => `/events?access_token=${stranger}`,
    event: { topics: ['workspace/w1/general'], type: 'message', data: { text: 'Grüße' } },
    beat: { comment: 'ping' },
  },
  'S1 story editor': {
    // A session opens one stream, so each client fetches its own.
    open: async (hub) => {
      const issue = async (path, bearer) => {
        const headers = { authorization: `Bearer ${bearer}` }
        const answer = await fetch(`${hub.url}${path}`, { method: 'POST', headers })
        assert.equal(answer.status, 200)
        return answer.json()
      }
      const { sse_token, expires_at } = await issue('/api/v1/auth/sse-token', member)
      assert.ok(new Date(expires_at) > new Date())
      assert.equal(new Date(expires_at).toISOString(), expires_at)
      const { session_id } = await issue('/api/v1/events/session', sse_token)
      const query = `session_id=${session_id}&events=novel.created,chapter.*`
      return `/api/v1/events/stream?${query}&meta_client_version=1.0.0`
    },
    foreign: () => `/api/v1/events/stream?sse_token=${stranger}`,
    greeting: 'connected',
    event: { users: ['u1'], type: 'chapter.created', data: { chapter: 7 } },
    beat: { event: 'ping', hasId: true },
  },
  'S2 dashboard': {
    open: () => `/api/realtime/sse?token=${member}`,
    foreign: () => `/api/sse?token=${stranger}`,
    greeting: 'connected',
    event: { users: ['u1'], type: 'alert', data: { level: 2 } },
    beat: { event: 'ping', hasId: true },
    isEnvelope: true,
  },
  'S3 generation service': {
    open: () => `/api/projects/42/stream?token=${member}`,
    greeting: 'connected',
    event: { topics: ['project/42'], type: 'progress', data: { percent: 40 } },
    beat: { comment: 'ping' },
  },
  'S4 portal': {
    open: () => `/api/v1/sse?token=${member}`,
    foreign: () => `/api/v1/sse?token=${stranger}`,
    greeting: 'connection_established',
    event: { users: ['u1'], type: 'notification.created', data: { title: 'New' } },
    beat: { event: 'heartbeat', hasId: false },
  },
}

let browser
let hub
const ends = []
before(async () => {
  const t = { after: (end) => ends.unshift(end) }
  browser = await startBrowser()
  // The dashboard's streams may be read with cookies, so its pages are listed; the page of another
  // origin is one of those.
  const settings = {
    TIDINGS_AUTH_SECRET: SECRET,
    TIDINGS_CORS_ORIGINS: browser.originOf('localhost'),
  }
  hub = await startHub(t, await dataDirectory(t), { settings, development: false })
})
after(async () => {
  await browser.close()
  for (const end of ends) await end()
})

const CLIENTS = {
  'EventSource in Chromium': (t, url, types) => inBrowser(t, browser, url, types),
  'EventSource in Node': (t, url, types) => inNode(t, url, types),
  curl: (t, url) => byCurl(t, url),
}

// Heartbeats come every 15 or 30 seconds, and each test waits for one: all wait at once.
describe('each profile', { concurrency: true }, () => {
  for (const [name, profile] of Object.entries(PROFILES)) {
    for (const [client, connect] of Object.entries(CLIENTS)) {
      test(`${name}: ${client} hears its events and that it is alive`, (t) =>
        drive(t, profile, client, connect))
    }
  }
})

async function drive(t, profile, client, connect) {
  const { event, beat, greeting } = profile
  const types = [event.type, greeting, beat.event, 'tidings.gap'].filter(Boolean)
  const heard = await connect(t, hub.url + (await profile.open(hub)), types)
  const other =
    profile.foreign && (await connect(t, hub.url + (await profile.foreign(hub)), types))
  for (const one of [heard, other].filter(Boolean)) {
    await one.until(client === 'curl' ? 'head' : 'open')
    if (greeting) await one.until(greeting)
  }
  const mark = `${client} ${Math.random()}`
  const data = { ...event.data, mark }
  const [answer] = await hub.publish([{ ...event, data }], server)
  // Other clients of the same profile hear the same, at the same time.
  const own = await until(heard, event.type, (found) => dataOf(profile, found).mark === mark)
  assert.deepEqual(dataOf(profile, own), data)
  assert.equal(own.id, answer.cursor)
  const entries = await heard.until(event.type)
  if (greeting) {
    const said = entries.find(({ type }) => type === greeting).data
    assert.ok((profile.isEnvelope ? said.data : said).clientId)
  }
  if (client === 'curl') {
    const [{ head }] = entries
    assert.match(head, /^HTTP\/1\.1 200 OK/)
    assert.match(head, /content-type: text\/event-stream; charset=utf-8/i)
    assert.match(head, /cache-control: no-cache, no-store, no-transform/i)
    assert.match(head, /x-accel-buffering: no/i)
  }
  if (beat.event) {
    const found = (await heard.until(beat.event)).find(({ type }) => type === beat.event)
    const said = profile.isEnvelope ? found.data.data : found.data
    assert.equal(new Date(said.timestamp).toISOString(), said.timestamp)
    if (client === 'curl') assert.equal(found.id !== undefined, beat.hasId)
  } else if (client === 'curl') {
    const found = (await heard.until(':')).find(({ type }) => type === ':')
    assert.equal(found.data, beat.comment)
  }
  const missed = (await heard.until(event.type)).filter(({ type }) => /gap|error|exit/.test(type))
  assert.deepEqual(missed, [], 'it stays open')
  if (other) {
    const foreign = await other.until(client === 'curl' ? 'head' : 'open')
    assert.ok(!foreign.some(({ type }) => type === event.type), 'nothing of somebody else')
  }
}

const dataOf = (profile, { data }) => (profile.isEnvelope ? data.data : data)

/** The first entry of a type of which this is true. */
async function until(heard, type, isIt) {
  for (let count = 1; ; count += 1) {
    const entries = await heard.until(type, count)
    const found = entries.filter((entry) => entry.type === type).find(isIt)
    if (found) return found
  }
}

test('S1: a session opens one stream, and a second use is refused with the reason', async (t) => {
  const path = await PROFILES['S1 story editor'].open(hub)
  const first = byCurl(t, hub.url + path)
  await first.until('connected')
  const second = await fetch(hub.url + path)
  assert.equal(second.status, 401)
  assert.equal((await second.json()).detail, 'invalid or expired session')
})

test('S0: whoever is refused is told why, and an EventSource does not come back', async (t) => {
  const url = `${hub.url}/events?access_token=nonsense`
  const answer = await fetch(url)
  assert.equal(answer.status, 401)
  assert.equal(answer.headers.get('content-type'), 'application/problem+json')
  const problem = await answer.json()
  assert.equal(problem.category, 'AUTHENTICATION')
  assert.ok(!JSON.stringify(problem).includes('nonsense'))
  const page = await inBrowser(t, browser, url, [])
  const entries = await page.until('error')
  assert.deepEqual(entries, [{ type: 'error', closed: true }])
})

test('S4: a portal resumes by lastEventId in the query and by the header', async (t) => {
  const url = `${hub.url}/api/v1/sse?token=${member}`
  const events = [1, 2, 3].map((n) => ({
    users: ['u1'],
    type: 'workflow.completed',
    data: { n },
  }))
  const answers = await hub.publish(events, server)
  const [{ cursor }] = answers
  const byQuery = inNode(t, `${url}&lastEventId=${cursor}`, ['workflow.completed'])
  const entries = await byQuery.until('workflow.completed', 2)
  const found = entries.filter(({ type }) => type === 'workflow.completed')
  assert.deepEqual(found.map(({ id }) => id), [answers[1].cursor, answers[2].cursor])

  const answer = await fetch(url, { headers: { 'last-event-id': answers[1].cursor } })
  let text = ''
  for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) {
    text += piece
    if (text.includes('"n":3') && text.includes(answers[2].cursor)) break
  }
  assert.ok(!text.includes('"n":2'), text)
})
