// N12: streams through proxies that run by the files of `deploy`, and through nginx as it is by itself.
//
// The next event is published only after the one before has come: a proxy that holds text back until
// more follows, or until the end, gets nothing more and fails.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { startDeployed } from './deployed.mjs'
import {
  nginxReload,
  startBareNginx,
  startHaproxy,
  startNginx,
} from './proxies.mjs'
import { PATIENCE_MS, ask, follow, publish } from './stream.mjs'

/** A proxy that holds something back is waited for as long as for anything else. */
const LIMITED = { timeout: PATIENCE_MS }

const PROXIES = [
  ['nginx by our file', startNginx],
  ['nginx by itself', startBareNginx],
  ['HAProxy by our file', startHaproxy],
]

for (const [name, startProxy] of PROXIES) {
  test(`n12 every event comes through ${name} before the next one is published`, LIMITED, async (t) => {
    const { token, at } = await startDeployed(t)
    const { origin, ca } = await startProxy(t, at)
    const stream = await follow(t, origin, token, { ca })
    for (const size of [1, 500, 20_000, 1, 200_000, 1]) {
      const data = { size, text: 'x'.repeat(size) }
      await publish(origin, token, data, { ca })
      assert.deepEqual(await stream.note(), data)
    }
  })
}

// Each waits for silence of three seconds at most, and streams give a sign of life in every second.
const IDLE = [
  ['nginx', startNginx, [['proxy_read_timeout 75s', 'proxy_read_timeout 3s']]],
  [
    'HAProxy',
    startHaproxy,
    [
      ['timeout client 75s', 'timeout client 3s'],
      ['timeout server 75s', 'timeout server 3s'],
    ],
  ],
]

for (const [name, startProxy, words] of IDLE) {
  test(`n12 signs of life keep a stream open past the time-out of ${name}`, LIMITED, async (t) => {
    const { token, at } = await startDeployed(t, { TIDINGS_HEARTBEAT: '1s' })
    const { origin, ca } = await startProxy(t, at, words)
    const stream = await follow(t, origin, token, { ca })
    for (let sign = 0; sign < 7; sign += 1) {
      assert.ok(await stream.next('tidings.ping'), 'the stream goes on')
    }
    await publish(origin, token, 'after the silence', { ca })
    assert.equal(await stream.note(), 'after the silence')
  })

  test(`n12 a stream without signs of life ends at the time-out of ${name}`, LIMITED, async (t) => {
    const { token, at } = await startDeployed(t, { TIDINGS_HEARTBEAT: '60s' })
    const { origin, ca } = await startProxy(t, at, words)
    const stream = await follow(t, origin, token, { ca })
    assert.equal(await stream.next('tidings.ping'), undefined, 'the time-out is a real one')
  })
}

test('n12 a reader that nginx cuts at a reload goes on without a gap', LIMITED, async (t) => {
  const { token, at } = await startDeployed(t)
  const { origin, ca, folder } = await startNginx(t, at)
  let stream = await follow(t, origin, token, { ca })
  await publish(origin, token, 1, { ca })
  assert.equal(await stream.note(), 1)
  await nginxReload(folder)
  assert.equal(await stream.note(), undefined, 'the old worker cuts it')
  await publish(origin, token, 2, { ca })
  const { lastEventId } = stream
  stream = await follow(t, origin, token, { ca, lastEventId })
  assert.equal(stream.hello.replay, 'complete')
  assert.equal(await stream.note(), 2)
  await publish(origin, token, 3, { ca })
  assert.equal(await stream.note(), 3)
})

test('n12 a reader that HAProxy cuts at a reload goes on without a gap', LIMITED, async (t) => {
  const { token, at } = await startDeployed(t)
  const cut = [['maxconn 1000', 'maxconn 1000\n    hard-stop-after 1s']]
  const { origin, ca, reload } = await startHaproxy(t, at, cut)
  let stream = await follow(t, origin, token, { ca })
  await publish(origin, token, 1, { ca })
  assert.equal(await stream.note(), 1)
  reload()
  assert.equal(await stream.note(), undefined, 'the old process cuts it')
  await publish(origin, token, 2, { ca })
  const { lastEventId } = stream
  stream = await follow(t, origin, token, { ca, lastEventId })
  assert.equal(stream.hello.replay, 'complete')
  assert.equal(await stream.note(), 2)
})

for (const [name, startProxy] of [
  ['nginx', startNginx],
  ['HAProxy', startHaproxy],
]) {
  test(`the hub believes ${name} about whose request it is, and nobody before it`, LIMITED, async (t) => {
    // After one refused credential of an address none is looked at. This machine is a trusted proxy.
    const { hub, token, at } = await startDeployed(t, {
      TIDINGS_LIMITS_REFUSED_LOGINS_PER_ADDRESS_PER_MINUTE: '1',
    })
    const { origin, ca } = await startProxy(t, at)
    const as = (claimed, token) =>
      ask(origin, '/v1/events?topics=a/**', {
        ca,
        headers: { authorization: `Bearer ${token}`, 'x-forwarded-for': claimed },
      })
    assert.equal((await as('192.0.2.1', 'wrong')).status, 401)
    // What stands before the last address that is no trusted proxy's is somebody's invention.
    for (const claimed of ['192.0.2.1', '192.0.2.2, 192.0.2.1']) {
      assert.equal((await as(claimed, token)).status, 429)
    }
    assert.equal((await as('192.0.2.2', token)).status, 200)
    assert.ok(!hub.log.includes('no proxy is trusted'))
    // Its own origin is known by the scheme that the proxy tells.
    const own = await ask(origin, '/v1/events?topics=a/**', {
      ca,
      headers: { authorization: `Bearer ${token}`, origin: 'https://events.example.org' },
    })
    assert.equal(own.headers['access-control-allow-origin'], 'https://events.example.org')
    assert.equal((await ask(origin, '/metrics', { ca })).status, 404)
  })
}
