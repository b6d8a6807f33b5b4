// A reader of a stream through a proxy, block by block, and its requests.

import http from 'node:http'
import https from 'node:https'
import { once } from 'node:events'

/** The name by which the files of `deploy` call the hub. */
export const HOST = 'events.example.org'

/** How long anything may take before a test fails; never waited for otherwise. */
export const PATIENCE_MS = 60_000

/** Sends a request; fulfilled with the response when its head has come. */
export async function send(origin, path, { method = 'GET', headers = {}, body, ca } = {}) {
  const url = new URL(path, origin)
  const { request } = url.protocol === 'https:' ? https : http
  const sent = request(url, {
    method,
    headers: { host: HOST, ...headers },
    servername: HOST,
    ca,
    agent: false,
    timeout: PATIENCE_MS,
  })
  sent.on('timeout', () => sent.destroy(new Error(`nothing came of ${path}`)))
  sent.end(body)
  const [response] = await once(sent, 'response')
  response.setEncoding('utf8')
  return response
}

/** Sends a request, and reads the whole answer. */
export async function ask(origin, path, options) {
  const response = await send(origin, path, options)
  let text = ''
  for await (const piece of response) text += piece
  return { status: response.statusCode, headers: response.headers, text }
}

/** Publishes one event of the type `note`. */
export async function publish(origin, token, data, options = {}) {
  const { status, text } = await ask(origin, '/v1/events', {
    ...options,
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'note', topics: ['a/1'], data }),
  })
  if (status !== 200) throw new Error(`${status}: ${text}`)
}

/** Opens a stream, and waits for its greeting. It ends with the test. */
export async function follow(test, origin, token, options = {}) {
  const { lastEventId, ca } = options
  const response = await send(origin, '/v1/stream?topics=a/**', {
    ca,
    headers: {
      accept: 'text/event-stream',
      authorization: `Bearer ${token}`,
      ...(lastEventId && { 'last-event-id': lastEventId }),
    },
  })
  if (response.statusCode !== 200) throw new Error(`refused: ${response.statusCode}`)
  const stream = new Stream(response)
  test.after(() => response.destroy())
  const hello = await stream.next('tidings.hello')
  if (!hello) throw new Error('the stream ended before it began')
  stream.hello = JSON.parse(hello.data)
  return stream
}

class Stream {
  /** The last cursor that came, as a browser keeps it. */
  lastEventId
  hello
  #blocks

  constructor(response) {
    this.headers = response.headers
    this.#blocks = blocks(response)
  }

  /** The next block of this type, whatever comes before it; none if the stream ends. */
  async next(type) {
    for (;;) {
      const { value, done } = await this.#blocks.next().catch(() => ({ done: true }))
      if (done) return undefined
      if (value.id !== undefined) this.lastEventId = value.id
      if (value.type === type) return value
      if (value.type === 'tidings.gap') throw new Error(`a gap: ${value.data}`)
    }
  }

  /** The data of the next event that a test has published. */
  async note() {
    const block = await this.next('note')
    return block && JSON.parse(block.data).data
  }
}

async function* blocks(response) {
  let text = ''
  for await (const piece of response) {
    text += piece
    const whole = text.split('\n\n')
    text = whole.pop()
    for (const block of whole) {
      const field = (name) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1]
      yield { type: field('event') ?? 'message', data: field('data'), id: field('id') }
    }
  }
}
