// N8 through proxies: requests of which two servers may disagree where they end. None of them makes the
// hub do what it holds in what may be a body, or puts an answer where another one belongs.

import assert from 'node:assert/strict'
import { connect as connectPlain } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { once } from 'node:events'
import { test } from 'node:test'

import { startDeployed } from './deployed.mjs'
import { startBareNginx, startHaproxy, startNginx } from './proxies.mjs'
import { HOST, PATIENCE_MS, ask, publish } from './stream.mjs'

const HEAD = `POST /v1/events HTTP/1.1\r\nHost: ${HOST}\r\nContent-Type: application/json\r\n`

/** A whole request that must never be carried out: somebody's publish within what may be a body. */
function smuggled(token) {
  const body = '{"type":"smuggled","topics":["a/1"]}'
  return `${HEAD}Authorization: Bearer ${token}\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}

/** Requests with `inner` where one server may see a body and another the next request. */
function corpus(inner) {
  const chunk = (text) => `${text.length.toString(16)}\r\n${text}\r\n`
  const sized = `Content-Length: ${inner.length}`
  const chunked = 'Transfer-Encoding: chunked'
  const end = '0\r\n\r\n'
  return {
    'CL.TE': `${HEAD}Content-Length: ${end.length + inner.length}\r\n${chunked}\r\n\r\n${end}${inner}`,
    'TE.CL': `${HEAD}${chunked}\r\nContent-Length: 4\r\n\r\n${chunk(inner)}${end}`,
    'TE.TE': `${HEAD}${chunked}\r\nTransfer-Encoding: identity\r\n\r\n${end}${inner}`,
    'TE with a space before the colon': `${HEAD}Transfer-Encoding : chunked\r\n${sized}\r\n\r\n${end}${inner}`,
    'TE with a tab': `${HEAD}Transfer-Encoding:\tchunked\r\n${sized}\r\n\r\n${end}${inner}`,
    'TE that is xchunked': `${HEAD}Transfer-Encoding: xchunked\r\n${sized}\r\n\r\n${end}${inner}`,
    'TE in a folded line': `${HEAD}Transfer-Encoding:\r\n chunked\r\n${sized}\r\n\r\n${end}${inner}`,
    'TE behind a bare LF': `${HEAD}X: y\nTransfer-Encoding: chunked\r\n${sized}\r\n\r\n${end}${inner}`,
    'two lengths': `${HEAD}Content-Length: 0\r\n${sized}\r\n\r\n${inner}`,
    'a list of lengths': `${HEAD}Content-Length: 0, ${inner.length}\r\n\r\n${inner}`,
    'a signed length': `${HEAD}Content-Length: +0\r\n\r\n${inner}`,
    'a length in hexadecimal': `${HEAD}Content-Length: 0x0\r\n\r\n${inner}`,
    'a length behind NUL': `${HEAD}X: \0\r\nContent-Length: 0\r\n${sized}\r\n\r\n${inner}`,
    'a chunk size beyond 64 bits': `${HEAD}${chunked}\r\n\r\n10000000000000000\r\n${inner}`,
    'a chunk size with a sign': `${HEAD}${chunked}\r\n\r\n-1\r\n${inner}`,
    'a chunk that ends with LF': `${HEAD}${chunked}\r\n\r\n2\r\n{}\n0\r\n\r\n${chunk(inner)}${end}`,
    'an extension with a bare LF': `${HEAD}${chunked}\r\n\r\n0;a\n\r\n\r\n${chunk(inner)}${end}`,
    'a GET with a body': `GET /healthz HTTP/1.1\r\nHost: ${HOST}\r\n${sized}\r\n\r\n${inner}`,
    'a HEAD with chunks': `HEAD /healthz HTTP/1.1\r\nHost: ${HOST}\r\n${chunked}\r\n\r\n${chunk(inner)}${end}`,
    'HTTP/1.0 with chunks': `${HEAD.replace('1.1', '1.0')}${chunked}\r\n\r\n${end}${inner}`,
    'an upgrade that nobody takes': `GET /healthz HTTP/1.1\r\nHost: ${HOST}\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n${sized}\r\n\r\n${inner}`,
    'an expectation': `${HEAD}Expect: 100-continue\r\nContent-Length: 0\r\n\r\n`,
  }
}

/** Sends bytes, and waits until the proxy has had enough of them, or has answered. */
async function sendBytes({ port, ca }, bytes) {
  const options = { port, host: '127.0.0.1', servername: HOST, ca, ALPNProtocols: ['http/1.1'] }
  const socket = ca ? connectTls(options) : connectPlain(options)
  // It may be reset amid what it sends.
  socket.on('error', () => {})
  await once(socket, ca ? 'secureConnect' : 'connect')
  socket.write(bytes)
  await Promise.race(['data', 'close'].map((event) => once(socket, event).catch(() => {})))
  socket.destroy()
}

for (const [name, startProxy] of [
  ['nginx by our file', startNginx],
  ['nginx by itself', startBareNginx],
  ['HAProxy by our file', startHaproxy],
]) {
  test(`n8 ${name} and the hub agree where requests end`, { timeout: PATIENCE_MS }, async (t) => {
    const { hub, token, at } = await startDeployed(t)
    const proxy = await startProxy(t, at)
    // A request begins exactly where the body may end, and is somebody's who may publish.
    for (const [what, bytes] of Object.entries(corpus(smuggled(token)))) {
      await sendBytes(proxy, bytes)
      for (let visit = 0; visit < 3; visit += 1) {
        const { status, text } = await ask(proxy.origin, '/healthz', { ca: proxy.ca })
        assert.deepEqual([status, text], [200, '{"status":"alive"}'], what)
      }
    }
    await publish(proxy.origin, token, 'honest', { ca: proxy.ca })
    const headers = { authorization: `Bearer ${token}` }
    const page = '/v1/events?topics=a/**&since=earliest'
    const published = async () => {
      const { text } = await ask(proxy.origin, page, { ca: proxy.ca, headers })
      return JSON.parse(text).events.map(({ type }) => type)
    }
    assert.deepEqual(await published(), ['note'])
    // Sent where a request may stand, it is carried out.
    await sendBytes(proxy, smuggled(token))
    assert.deepEqual(await published(), ['note', 'smuggled'])
    assert.doesNotMatch(hub.log, /panicked/)
  })
}
