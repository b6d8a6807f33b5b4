// The dashboard's four ways to say who one is, in their order: session, token, bearer, and in
// development a name.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { SignJWT } from 'jose'

import { dataDirectory, startHub } from '../browser/hub.mjs'
import { bearer, cookie, forged, hubWith, now } from './asking.mjs'
import { NAMES, nextAuth } from './sessions.mjs'

const SECRET = 'not-a-secret-but-one-of-the-tests-0002'
const SESSION_SECRET = 'not-a-secret-but-one-of-the-tests-0003'

/** A token of the dashboard's own server. */
const token = (claims) =>
  new SignJWT({ iat: now(), exp: now() + 3_600, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(SECRET))

const settings = { TIDINGS_AUTH_SECRET: SECRET, NEXTAUTH_SECRET: SESSION_SECRET }

/** Whose events a request polls: everybody's own event is there. */
async function whoIs(hub, headers, query = '') {
  const answer = await fetch(`${hub.url}/api/realtime/polling?since=0&types=whoami${query}`, { headers })
  if (answer.status !== 200) return answer.status
  const { events } = await answer.json()
  return events.map(({ data }) => data).join()
}

/** Publishes to each of these users their name. */
async function introduce(hub, names) {
  const publisher = await token({ sub: 'server', tidings: { publish: ['@user/*'] } })
  await hub.publish(names.map((name) => ({ users: [name], type: 'whoami', data: name })), publisher)
}

test('a session decides before a token in the URL, and that before a header', async (t) => {
  const hub = await hubWith(t, '', settings)
  await introduce(hub, ['of-session', 'of-token', 'of-header'])
  const session = await nextAuth(SESSION_SECRET, { sub: 'of-session' }, 3_600)
  const inCookie = cookie([NAMES.nextAuth, session])
  const inUrl = `&token=${await token({ sub: 'of-token' })}`
  const inHeader = bearer(await token({ sub: 'of-header' }))

  assert.equal(await whoIs(hub, { ...inCookie, ...inHeader }, inUrl), 'of-session')
  assert.equal(await whoIs(hub, inHeader, inUrl), 'of-token')
  assert.equal(await whoIs(hub, inHeader), 'of-header')
  assert.equal(await whoIs(hub, {}), 401)
  // What is wrong is not made good by what comes after it.
  const wrong = cookie([NAMES.nextAuth, forged(session)])
  assert.equal(await whoIs(hub, { ...wrong, ...inHeader }, inUrl), 401)
  assert.equal(await whoIs(hub, inHeader, forged(inUrl)), 401)
  // A name in the URL is for development alone.
  assert.equal(await whoIs(hub, {}, '&userId=of-session'), 401)
})

test('in development a name is enough, and comes last', async (t) => {
  const hub = await startHub(t, await dataDirectory(t), { settings })
  await introduce(hub, ['of-name', 'of-header'])
  assert.equal(await whoIs(hub, {}, '&userId=of-name'), 'of-name')
  const inHeader = bearer(await token({ sub: 'of-header' }))
  assert.equal(await whoIs(hub, inHeader, '&userId=of-name'), 'of-header')
})

test('a stream by session, and a token for where cookies do not go', async (t) => {
  const hub = await hubWith(t, '', settings)
  const session = cookie([NAMES.nextAuth, await nextAuth(SESSION_SECRET, { sub: 'u1' }, 3_600)])
  const answer = await fetch(`${hub.url}/api/auth/sse-token`, { headers: session })
  const { token: issued, expiresAt } = await answer.json()
  assert.ok(expiresAt > Date.now())
  const control = new AbortController()
  t.after(() => control.abort())
  for (const [query, headers] of [['', session], [`?token=${issued}`, {}]]) {
    const stream = await fetch(`${hub.url}/api/sse${query}`, { headers, signal: control.signal })
    assert.equal(stream.status, 200)
    const { value } = await stream.body.pipeThrough(new TextDecoderStream()).getReader().read()
    assert.match(value, /^event: connected\n/m)
    assert.match(value, /"clientId":"/)
  }
})

test('the role ADMIN of `role` or `roles`, in a token or a session, administers', async (t) => {
  const hub = await hubWith(t, '', settings)
  const body = JSON.stringify({ message: 'hello', target: 'broadcast' })
  const send = async (headers) => {
    const answer = await fetch(`${hub.url}/api/realtime/test`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    })
    return answer.status
  }
  const ofSession = async (claims) =>
    cookie([NAMES.nextAuth, await nextAuth(SESSION_SECRET, { sub: 'boss', ...claims }, 3_600)])
  for (const claims of [{ role: 'ADMIN' }, { roles: ['USER', 'ADMIN'] }]) {
    assert.equal(await send(bearer(await token({ sub: 'boss', ...claims }))), 200)
    assert.equal(await send(await ofSession(claims)), 200)
  }
  for (const claims of [{}, { role: 'USER' }, { roles: ['admin'] }]) {
    assert.equal(await send(bearer(await token({ sub: 'boss', ...claims }))), 403)
    assert.equal(await send(await ofSession(claims)), 403)
  }
  // Other roles, by the setting.
  const other = await hubWith(t, 'auth.admin_roles = ["OWNER"]\n', settings)
  const answer = async (role) => {
    const headers = bearer(await token({ sub: 'boss', role }))
    const sent = await fetch(`${other.url}/api/realtime/test`, { method: 'POST', headers, body })
    return sent.status
  }
  assert.deepEqual([await answer('OWNER'), await answer('ADMIN')], [200, 403])
})
