// A stream in blocks that the hub's own coder packs, served block by block.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const WORKSPACE = fileURLToPath(new URL('../..', import.meta.url))
const PACK = 'run --quiet --package tidings-wire --example coded-blocks --'.split(' ')

/**
 * Starts a server for one stream. It is told what to send, as a hub is told by its publishers:
 * `send(data)` is fulfilled when the event is on its way in a block of its own, `end()` ends the
 * stream; `url` is where it is, and `coding` what the reader negotiated.
 */
export async function startCoded(test) {
  const server = createServer()
  const stream = once(server, 'request').then(([request, response]) => {
    const stream = new CodedStream(request, response)
    test.after(() => stream.kill())
    return stream.begun
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  test.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    coding: () => stream.then(({ coding }) => coding),
    send: async (data) => (await stream).send(data),
    end: async () => (await stream).end(),
  }
}

class CodedStream {
  /** Fulfilled with this when the reader has the head of the response. */
  begun
  coding
  #coder
  #lines
  #response
  #sent = 0

  constructor(request, response) {
    const { 'accept-encoding': accepted = '', 'user-agent': agent = '' } = request.headers
    const stdio = ['pipe', 'pipe', 'inherit']
    this.#coder = spawn('cargo', [...PACK, accepted, agent], { cwd: WORKSPACE, stdio })
    this.#lines = createInterface(this.#coder.stdout)[Symbol.asyncIterator]()
    this.#response = response
    this.begun = this.#begin()
  }

  async #begin() {
    this.coding = await this.#line()
    this.#response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'access-control-allow-origin': '*',
      ...(this.coding !== 'identity' && { 'content-encoding': this.coding }),
    })
    await this.#pass()
    return this
  }

  /** Sends an event in the shape of the hub's envelopes. */
  async send(data) {
    this.#sent += 1
    const text = `event: note\ndata: ${JSON.stringify({ data })}\nid: ${this.#sent}\n\n`
    this.#coder.stdin.write(`${JSON.stringify(text)}\n`)
    await this.#pass()
  }

  async end() {
    this.#coder.stdin.end()
    await this.#pass()
    this.#response.end()
  }

  kill() {
    this.#coder.kill()
  }

  /** Passes on what the coder made of the last line. */
  async #pass() {
    const bytes = Buffer.from(await this.#line(), 'base64')
    if (bytes.length > 0) this.#response.write(bytes)
  }

  async #line() {
    const { value, done } = await this.#lines.next()
    if (done) throw new Error('the coder has ended')
    return value
  }
}
