// Issuers that change their keys or are away, and an application that is: who is known stays in, who
// is not is told when to come back, and nobody is let in unasked.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { describe, test } from 'node:test'

import { bearer, cookie, expectStatus, fresh, hubWith, untilStatus } from './asking.mjs'
import { KeyServer } from './issuers.mjs'
import { SHAPES, sign } from './tokens.mjs'

const token = (key) => sign(key, SHAPES.auth0(fresh()))

function isTold(answer) {
  assert.match(answer.headers.get('retry-after') ?? '', /^\d+$/, answer.text)
}

describe('outages', { concurrency: true }, () => {
  test('a key that its issuer brings in is known, and the one before it no longer', async (t) => {
    const server = await KeyServer.start(t)
    const first = await server.rotate('auth0', 'first')
    const hub = await hubWith(t, server.settings())
    const old = await token(first)
    await expectStatus(200, hub, bearer(old))
    const second = await server.rotate('auth0', 'second')
    await untilStatus(200, hub, bearer(await token(second)))
    await expectStatus(401, hub, bearer(old))
    // Neither the tokens that waited for the new key nor the refused one made it ask again.
    assert.equal(server.asked.auth0, 2)
  })

  test('an issuer that is away is no reason to turn away whom it let in', async (t) => {
    const server = await KeyServer.start(t)
    const key = await server.rotate('auth0', 'only')
    const hub = await hubWith(t, server.settings())
    await expectStatus(200, hub, bearer(await token(key)))
    await server.down()
    await expectStatus(200, hub, bearer(await token(key)))
    isTold(await expectStatus(503, hub, bearer(await ofAnUnseenIssuer(server))))
  })

  test('an issuer that was never there lets nobody in until it is', async (t) => {
    const server = await KeyServer.start(t)
    const key = await server.rotate('auth0', 'late')
    const settings = server.settings()
    await server.down()
    const hub = await hubWith(t, settings)
    isTold(await expectStatus(503, hub, bearer(await token(key))))
    await server.up()
    await untilStatus(200, hub, bearer(await token(key)))
  })

  test('an application that is away turns nobody into anybody, and is asked again', async (t) => {
    const application = await Application.start(t)
    const hub = await hubWith(t, application.settings())
    await expectStatus(200, hub, cookie(['sid', 'ada']), ['user/ada/inbox'])
    await expectStatus(403, hub, cookie(['sid', 'ada']), ['user/bob/inbox'])
    await expectStatus(401, hub, cookie(['sid', 'nobody']))
    const questions = application.seen.length

    await application.down()
    // What it said before still counts.
    await expectStatus(200, hub, cookie(['sid', 'ada']))
    for (let round = 0; round < 10; round += 1) {
      isTold(await expectStatus(503, hub, cookie(['sid', 'bob'])))
    }
    assert.equal(application.seen.length, questions)
    await application.up()
    await untilStatus(200, hub, cookie(['sid', 'bob']))

    // It was given what the settings list and nothing else.
    for (const headers of application.seen) {
      assert.match(headers.cookie, /^sid=\w+$/)
      assert.equal(headers.authorization, undefined)
    }
  })

  test('an application that is slow is not waited for', async (t) => {
    const application = await Application.start(t)
    const hub = await hubWith(t, application.settings('timeout = "200ms"'))
    // On a busy machine it may be slow already.
    await untilStatus(200, hub, cookie(['sid', 'ada']))
    application.isSlow = true
    isTold(await expectStatus(503, hub, cookie(['sid', 'bob'])))
    application.isSlow = false
    await untilStatus(200, hub, cookie(['sid', 'bob']))
  })
})

/** A token of an issuer of the same server that nobody has asked for keys yet. */
async function ofAnUnseenIssuer(server) {
  return sign(await server.rotate('keycloak', 'unseen'), SHAPES.keycloak(fresh()))
}

/** The application whose sessions only it understands. */
class Application {
  /** The headers of every question. */
  seen = []
  isSlow = false
  #server
  #port = 0

  static async start(test) {
    const application = new Application()
    await application.up()
    test.after(() => application.down())
    return application
  }

  async up() {
    this.#server = createServer((request, response) => {
      this.seen.push(request.headers)
      if (this.isSlow) return
      const subject = /\bsid=(ada|bob)\b/.exec(request.headers.cookie)?.[1]
      response.writeHead(subject ? 200 : 401, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ subject, subscribe: [`user/${subject}/**`] }))
    })
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = this.#server.address().port
  }

  async down() {
    if (!this.#server.listening) return
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
  }

  /** What a hub is told of it, by default with time for any machine, however busy. */
  settings(more = 'timeout = "30s"') {
    return `[auth.application]
url = "http://127.0.0.1:${this.#port}/api/events-identity"
cookies = ["sid"]
${more}
`
  }
}
