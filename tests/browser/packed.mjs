// A stream of the hub, and what it is packed in: a reader does not tell that, so it is read off the
// wire on its way.

import { connect, createServer } from 'node:net'
import { once } from 'node:events'

import { dataDirectory, startHub } from './hub.mjs'

/** How long what was sent may take to be delivered. */
const PATIENCE_MS = 60_000

/**
 * Starts a hub with one stream for one reader. `url` is where it is, from its beginning on;
 * `send(data)` publishes an event of the type `note`, `coding()` tells what the reader negotiated, and
 * `end()` ends the hub once its reader has been sent everything.
 */
export async function startPacked(test) {
  const hub = await startHub(test, await dataDirectory(test))
  const wire = await startWire(test, new URL(hub.url))
  let sent = 0
  return {
    url: `${wire.url}/v1/stream?topics=packed&since=earliest&userId=reader`,
    coding: wire.coding,
    send: async (data) => {
      sent += 1
      await hub.publish([{ type: 'note', topics: ['packed'], data }])
    },
    end: async () => {
      // A farewell may come before the newest events, which a reader would come back for.
      await delivered(hub, sent)
      return hub.drain()
    },
  }
}

/** Passes connections on to the hub, and notes what the latest answer is packed in. */
async function startWire(test, { hostname, port }) {
  let coding
  const sockets = new Set()
  const server = createServer((reader) => {
    const hub = connect(port, hostname)
    let head = ''
    hub.on('data', (bytes) => {
      if (head.includes('\r\n\r\n')) return
      head += bytes.toString('latin1')
      const [fields, body] = head.split('\r\n\r\n', 2)
      if (body === undefined) return
      coding = /^content-encoding: (\S+)$/im.exec(fields)?.[1] ?? 'identity'
    })
    for (const [from, to] of [[reader, hub], [hub, reader]]) {
      sockets.add(from)
      from.pipe(to)
      // Whoever is gone takes the other with it.
      from.on('error', () => to.destroy())
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  test.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { url: `http://127.0.0.1:${server.address().port}`, coding: () => coding }
}

/** Fulfilled when the hub has handed so many events to connections. */
async function delivered(hub, count) {
  const patience = AbortSignal.timeout(PATIENCE_MS)
  for (;;) {
    const text = await (await fetch(`${hub.url}/metrics`, { signal: patience })).text()
    const total = /^tidings_hub_events_delivered_total (\d+)$/m.exec(text)
    if (Number(total?.[1]) >= count) return
  }
}
