// What the tests ask of a hub, and a hub with settings of a test.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

import { dataDirectory, startHub } from '../browser/hub.mjs'

/** How long anything may take before a test fails: twice the time between two looks at keys. */
const PATIENCE_MS = 60_000

/** Starts a hub with this text as its settings file. It ends with the test. */
export async function hubWith(test, file, settings = {}) {
  const directory = await dataDirectory(test)
  await writeFile(join(directory, 'tidings.toml'), file)
  const hub = await startHub(test, directory, { settings, development: false })
  return Object.assign(hub, { directory })
}

/** A header of cookies, each `[name, value]`. */
export const cookie = (...cookies) => ({
  cookie: cookies.map(([name, value]) => `${name}=${value}`).join('; '),
})

/** A header with a token. */
export const bearer = (token) => ({ authorization: `Bearer ${token}` })

/** The answer to a request for what is for its sender, and in these topics. */
export async function read(hub, headers, topics = []) {
  const query = topics.length > 0 ? `&topics=${topics.join(',')}` : ''
  const answer = await fetch(`${hub.url}/v1/events?limit=1${query}`, { headers })
  return { status: answer.status, headers: answer.headers, text: await answer.text() }
}

/** Asserts that a request is answered with a status; shows the answer if it is another. */
export async function expectStatus(status, hub, headers, topics) {
  const answer = await read(hub, headers, topics)
  assert.equal(answer.status, status, `${answer.text}\n${hub.log}`)
  return answer
}

/** Asks until the answer has a status. */
export async function untilStatus(status, hub, headers) {
  const ends = Date.now() + PATIENCE_MS
  for (;;) {
    const answer = await read(hub, headers)
    if (answer.status === status) return answer
    assert.ok(Date.now() < ends, `still ${answer.status}, not ${status}: ${answer.text}`)
    await pause(500)
  }
}

/** Opens a stream, as `EventSource` does, and returns its events one by one. */
export async function* stream(hub, query, headers = {}) {
  const answer = await fetch(`${hub.url}/v1/stream?${query}`, {
    headers: { accept: 'text/event-stream', ...headers },
    signal: AbortSignal.timeout(PATIENCE_MS),
  })
  if (answer.status !== 200) throw new Refused(answer.status, await answer.text())
  let text = ''
  for await (const part of answer.body.pipeThrough(new TextDecoderStream())) {
    text += part
    const blocks = text.split('\n\n')
    text = blocks.pop()
    for (const block of blocks) {
      const event = eventOf(block)
      if (event.data !== undefined) yield event
    }
  }
}

/** The next event of a stream that has this type. */
export async function next(events, type) {
  for (;;) {
    const { value, done } = await events.next()
    assert.ok(!done, `the stream ended before \`${type}\``)
    if (value.type === type) return JSON.parse(value.data)
  }
}

/** A stream that the hub did not open. */
export class Refused extends Error {
  constructor(status, text) {
    super(`${status}: ${text}`)
    this.status = status
  }
}

function eventOf(block) {
  const event = { type: 'message', data: undefined }
  for (const line of block.split('\n')) {
    const [, name, value] = /^(\w*): ?(.*)$/.exec(line) ?? []
    if (name === 'event') event.type = value
    if (name === 'data') event.data = event.data === undefined ? value : `${event.data}\n${value}`
  }
  return event
}

/** The same text with another digit in its middle. */
export function forged(text) {
  const middle = text.length >> 1
  const other = text[middle] === 'A' ? 'B' : 'A'
  return text.slice(0, middle) + other + text.slice(middle + 1)
}

/** Seconds since 1970. */
export const now = () => Math.floor(Date.now() / 1000)

/** The times of a token that counts now. */
export const fresh = () => ({ iat: now(), nbf: now() - 10, exp: now() + 3_600 })

/** The times of one that has ended. */
export const ended = () => ({ iat: now() - 7_200, nbf: now() - 7_200, exp: now() - 3_600 })
