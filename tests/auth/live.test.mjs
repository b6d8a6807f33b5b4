// A running hub accepts what the libraries make at this moment, and nothing that only looks like it.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { verifyToken } from '@clerk/backend'
import { exportSPKI, importJWK } from 'jose'

import {
  bearer, cookie, ended, expectStatus, forged, fresh, hubWith, next, stream,
} from './asking.mjs'
import { ISSUERS, KeyServer, issuerOf } from './issuers.mjs'
import { NAMES, authJs, chunkedByAuthJs, chunkedByNextAuth, nextAuth } from './sessions.mjs'
import { HEADERS, SHAPES, sign } from './tokens.mjs'

const HOUR = 3_600
const SECRET = 'not-a-secret-but-one-of-the-tests-0001'

/** Sessions of this user fit into one cookie, those of the other do not. */
const user = { sub: 'live-user', name: 'Ada', roles: ['ADMIN'] }
const wordy = { ...user, biography: 'Lorem ipsum dolor sit amet. '.repeat(200) }

/** Administrators of each issuer may read a topic of its name. */
const RULES = ISSUERS.map(
  (name) => `[[rule]]
issuers = ["${name}"]
roles = ["admin", "org:admin"]
subscribe = ["admins/${name}"]
`,
)

let hub
const keys = {}
const ends = []
before(async () => {
  // What `after` is given within `before` runs at the end of that.
  const test = { after: (end) => ends.unshift(end) }
  const server = await KeyServer.start(test)
  for (const issuer of ISSUERS) keys[issuer] = await server.rotate(issuer, `live-${issuer}`)
  const rules = `${RULES.join('\n')}
[[rule]]
issuers = ["session"]
subscribe = ["user/{sub}/**"]
publish = ["user/{sub}/**"]
`
  hub = await hubWith(test, `${server.settings()}\n${rules}`, { AUTH_SECRET: SECRET })
})
after(async () => {
  for (const end of ends) await end()
})

test('nobody is nobody', () => expectStatus(401, hub, {}))

const libraries = {
  'Auth.js 5': {
    name: NAMES.authJs,
    make: (name, token, age) => authJs(name, SECRET, token, age),
    cut: chunkedByAuthJs,
  },
  'NextAuth 4': {
    name: NAMES.nextAuth,
    make: (_name, token, age) => nextAuth(SECRET, token, age),
    cut: chunkedByNextAuth,
  },
}

for (const [library, { name: plainName, make, cut }] of Object.entries(libraries)) {
  for (const name of [plainName, `__Secure-${plainName}`]) {
    test(`a fresh session of ${library} is accepted as ${name}`, async () => {
      const session = await make(name, user, HOUR)
      await expectStatus(200, hub, cookie([name, session]))
      await expectStatus(401, hub, cookie([name, forged(session)]))
    })
  }

  test(`a long session of ${library} is accepted in its parts`, async () => {
    const parts = await cut(plainName, await make(plainName, wordy, HOUR))
    assert.ok(parts.length > 1)
    await expectStatus(200, hub, cookie(...parts))
    await expectStatus(401, hub, cookie(...parts.slice(1)))
  })

  test(`a session of ${library} that has ended is refused`, async () => {
    await expectStatus(401, hub, cookie([plainName, await make(plainName, user, -HOUR)]))
  })

  test(`a session of ${library} opens a stream, and a ticket for one`, async () => {
    const session = cookie([plainName, await make(plainName, user, HOUR)])
    // With more than one source of subjects, each says whose it is.
    const topic = 'user/session:live-user/inbox'
    const own = stream(hub, `topics=${topic}`, session)
    const hello = await next(own, 'tidings.hello')
    assert.equal(hello.replay, 'none')

    const page = { ...session, origin: hub.url }
    const answer = await fetch(`${hub.url}/v1/tickets`, { method: 'POST', headers: page })
    const { ticket } = await answer.json()
    assert.ok(ticket, `no ticket: ${answer.status}`)
    const ticketed = stream(hub, `topics=${topic}&ticket=${ticket}`)
    await next(ticketed, 'tidings.hello')
    await assert.rejects(next(stream(hub, `ticket=${ticket}`), 'tidings.hello'), { status: 401 })

    const published = await fetch(`${hub.url}/v1/events`, {
      method: 'POST',
      headers: { ...page, 'content-type': 'application/json' },
      body: JSON.stringify({ type: 'mail', topics: [topic], data: library }),
    })
    assert.equal(published.status, 200, await published.text())
    for (const events of [own, ticketed]) {
      assert.equal((await next(events, 'mail')).data, library)
      await events.return()
    }
  })
}

for (const shape of Object.keys(SHAPES)) {
  const issuer = issuerOf(shape)
  const token = (times) => sign(keys[issuer], SHAPES[shape](times), HEADERS[shape])

  test(`a fresh token of the shape ${shape} is accepted with its roles`, async () => {
    const good = await token(fresh())
    await expectStatus(200, hub, bearer(good))
    await expectStatus(200, hub, bearer(good), [`admins/${issuer}`])
    await expectStatus(403, hub, bearer(good), ['admins/others'])
    await expectStatus(401, hub, bearer(forged(good)))
    await expectStatus(401, hub, bearer(await token(ended())))
  })

  test(`a token of the shape ${shape} with the key of another issuer is refused`, async () => {
    const other = ISSUERS.find((name) => name !== issuer && name !== 'supabase')
    const claims = SHAPES[shape](fresh())
    await expectStatus(401, hub, bearer(await sign(keys[other], claims, HEADERS[shape])))
  })

  if (issuer === 'clerk') {
    test(`a token of the shape ${shape} passes for one of Clerk`, async () => {
      const good = await token(fresh())
      const { jwk, algorithm } = keys[issuer]
      const jwtKey = await exportSPKI(await importJWK(jwk, algorithm, { extractable: true }))
      const authorizedParties = ['https://app.example.com']
      const verified = await verifyToken(good, { jwtKey, authorizedParties })
      assert.equal(verified.sub, SHAPES[shape]({}).sub)
      await assert.rejects(verifyToken(forged(good), { jwtKey, authorizedParties }))
    })

    test(`a token of the shape ${shape} is accepted in Clerk's cookie`, async () => {
      await expectStatus(200, hub, cookie(['__session', await token(fresh())]))
    })
  }
}
