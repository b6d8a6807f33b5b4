// A running hub accepts what the libraries make at this moment.
//
// The hub is started by whoever runs this, and told by the environment:
//
// - TIDINGS_LIVE_URL: where it listens
// - TIDINGS_LIVE_SECRET: the secret of the application whose sessions it accepts, under the default
//   names of the cookies
// - TIDINGS_LIVE_JWKS_PORT: a port of this machine at which this serves the key set of each shape of
//   `tokens.mjs`, as `http://127.0.0.1:<port>/<shape>/jwks.json`; the hub accepts tokens of each
//   shape's `iss` by it
// - TIDINGS_LIVE_SHAPES: the shapes of which that is so, divided by commas; all if not set

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'

import { verifyToken } from '@clerk/backend'
import { exportSPKI, importJWK } from 'jose'

import { NAMES, authJs, chunkedByAuthJs, chunkedByNextAuth, nextAuth } from './sessions.mjs'
import { HEADERS, SHAPES, keyFor, sign } from './tokens.mjs'

const hub = needed('TIDINGS_LIVE_URL')
const secret = needed('TIDINGS_LIVE_SECRET')
const port = Number(needed('TIDINGS_LIVE_JWKS_PORT'))
const shapes = process.env.TIDINGS_LIVE_SHAPES?.split(',') ?? Object.keys(SHAPES)

const HOUR = 3_600
const now = () => Math.floor(Date.now() / 1000)

/** Sessions of this user fit into one cookie, those of the other do not. */
const user = { sub: 'live-user', name: 'Ada', roles: ['ADMIN'] }
const wordy = { ...user, biography: 'Lorem ipsum dolor sit amet. '.repeat(200) }

function needed(name) {
  const value = process.env[name]
  assert.ok(value, `${name} is not set: see the head of live.test.mjs`)
  return value
}

/** The status with which the hub answers a request for what is for its sender. */
async function statusOf(headers) {
  const answer = await fetch(`${hub}/v1/events?limit=1`, { headers })
  await answer.arrayBuffer()
  return answer.status
}

const withCookies = (cookies) =>
  statusOf({ cookie: cookies.map(([name, value]) => `${name}=${value}`).join('; ') })

const withToken = (token) => statusOf({ authorization: `Bearer ${token}` })

/** The same text with another digit in its middle. */
function forged(text) {
  const middle = text.length >> 1
  const other = text[middle] === 'A' ? 'B' : 'A'
  return text.slice(0, middle) + other + text.slice(middle + 1)
}

test('nobody is nobody', async () => {
  assert.equal(await statusOf({}), 401)
})

const libraries = {
  'Auth.js 5': {
    name: NAMES.authJs,
    make: (name, token, age) => authJs(name, secret, token, age),
    cut: chunkedByAuthJs,
  },
  'NextAuth 4': {
    name: NAMES.nextAuth,
    make: (_name, token, age) => nextAuth(secret, token, age),
    cut: chunkedByNextAuth,
  },
}

for (const [library, { name: plainName, make, cut }] of Object.entries(libraries)) {
  for (const name of [plainName, `__Secure-${plainName}`]) {
    test(`a fresh session of ${library} is accepted as ${name}`, async () => {
      const session = await make(name, user, HOUR)
      assert.equal(await withCookies([[name, session]]), 200)
      assert.equal(await withCookies([[name, forged(session)]]), 401)
    })
  }

  test(`a long session of ${library} is accepted in its parts`, async () => {
    const parts = await cut(plainName, await make(plainName, wordy, HOUR))
    assert.ok(parts.length > 1)
    assert.equal(await withCookies(parts), 200)
    assert.equal(await withCookies(parts.slice(1)), 401)
  })

  test(`a session of ${library} that has ended is refused`, async () => {
    assert.equal(await withCookies([[plainName, await make(plainName, user, -HOUR)]]), 401)
  })
}

const keys = {}
let server
before(async () => {
  for (const shape of shapes) {
    assert.ok(SHAPES[shape], `there is no shape ${shape}`)
    keys[shape] = await keyFor('RS256', `live-${shape.toLowerCase()}`)
  }
  server = createServer((request, response) => {
    const key = keys[/^\/(\w+)\/jwks\.json$/.exec(request.url)?.[1]]
    response.writeHead(key ? 200 : 404, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ keys: key ? [key.jwk] : [] }))
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
})
after(() => {
  server.closeAllConnections()
  server.close()
})

for (const shape of shapes) {
  const token = (times) => sign(keys[shape], SHAPES[shape](times), HEADERS[shape])

  test(`a fresh token of the shape ${shape} is accepted`, async () => {
    const fresh = await token({ iat: now(), nbf: now() - 10, exp: now() + HOUR })
    assert.equal(await withToken(fresh), 200)
    assert.equal(await withToken(forged(fresh)), 401)
    const ended = await token({ iat: now() - 2 * HOUR, nbf: now() - 2 * HOUR, exp: now() - HOUR })
    assert.equal(await withToken(ended), 401)
  })

  if (shape.startsWith('clerk')) {
    test(`a token of the shape ${shape} passes for one of Clerk`, async () => {
      const fresh = await token({ iat: now(), nbf: now() - 10, exp: now() + HOUR })
      const { jwk, algorithm } = keys[shape]
      const jwtKey = await exportSPKI(await importJWK(jwk, algorithm, { extractable: true }))
      const authorizedParties = ['https://app.example.com']
      const verified = await verifyToken(fresh, { jwtKey, authorizedParties })
      assert.equal(verified.sub, SHAPES[shape]({}).sub)
      await assert.rejects(verifyToken(forged(fresh), { jwtKey, authorizedParties }))
    })
  }
}
