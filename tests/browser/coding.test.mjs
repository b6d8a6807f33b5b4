// A packed stream is read block by block, as a stream that is not packed is.
//
// An event is sent only after the reader has told the one before, so that a reader that holds text
// back until more comes, or until the end, gets nothing more and fails.

import assert from 'node:assert/strict'
import { get } from 'node:http'
import { after, before, test } from 'node:test'
import { createGunzip } from 'node:zlib'

import { startBrowser } from './chromium.mjs'
import { startPacked } from './packed.mjs'

/** How long a reader outside of a browser may say nothing; the page has its own patience. */
const PATIENCE_MS = 60_000

/** Bytes of text on both sides of where compression begins, and beyond what one read brings. */
const SIZES = [10, 500, 2_000, 100, 70_000, 250_000, 50]

const EVENTS = SIZES.map((bytes, number) => ({ number, text: 'some text '.repeat(bytes / 10) }))

let browser
before(async () => {
  browser = await startBrowser()
})
after(() => browser.close())

/** A browser that announces zstd as Chromium does, and gets gzip. */
const SAFARI =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15'

/** Follows a stream with a plain `EventSource` of a browser. */
async function followInBrowser(t, stream, profile) {
  const page = await browser.open(t, 'localhost', profile)
  await page.evaluate((url) => follow(url, ['note']), stream.url)
  return async (count) => {
    const entries = await page.evaluate((count) => recording.until('note', count), count)
    return entries.filter(({ type }) => type === 'note').map(({ data }) => data.data)
  }
}

/** The first `count` events of a text stream that comes in pieces. */
function readPieces(pieces) {
  const told = []
  let text = ''
  return async (count) => {
    while (told.length < count) {
      const { value, done } = await pieces.next()
      assert.ok(!done, 'the stream goes on')
      text += value
      const blocks = text.split('\n\n')
      text = blocks.pop()
      const notes = blocks.filter((block) => /^event: note$/m.test(block))
      told.push(...notes.map((block) => JSON.parse(/^data: (.*)$/m.exec(block)[1]).data))
    }
    return told
  }
}

/** Reads to the end of a stream, whose last word is a farewell. */
async function readFarewell(pieces) {
  let text = ''
  for await (const piece of pieces) text += piece
  assert.match(text, /^event: tidings\.bye$/m)
}

/** Sends the events, each after the reader has told all before it. */
async function tellOneByOne(stream, reading) {
  for (const [index, event] of EVENTS.entries()) {
    const [told] = await Promise.all([reading.then((read) => read(index + 1)), stream.send(event)])
    assert.deepEqual(told, EVENTS.slice(0, index + 1))
  }
}

test('an EventSource of Chromium is told each zstd frame at once', async (t) => {
  const stream = await startPacked(t)
  await tellOneByOne(stream, followInBrowser(t, stream))
  assert.equal(stream.coding(), 'zstd', 'as it announces on trustworthy origins')
})

test('Chromium under the name of Safari is told each gzip block at once', async (t) => {
  const stream = await startPacked(t)
  await tellOneByOne(stream, followInBrowser(t, stream, { userAgent: SAFARI }))
  assert.equal(stream.coding(), 'gzip')
})

test('fetch of Chromium finds the end of either coding in order', async (t) => {
  for (const [coding, profile] of [['zstd', {}], ['gzip', { userAgent: SAFARI }]]) {
    const stream = await startPacked(t)
    const page = await browser.open(t, 'localhost', profile)
    const whole = page.evaluate((url) => fetch(url).then((answer) => answer.text()), stream.url)
    const sent = (async () => {
      for (const event of EVENTS) await stream.send(event)
      await stream.end()
    })()
    const [text] = await Promise.all([whole, sent])
    assert.equal(text.match(/^event: note$/gm).length, EVENTS.length)
    assert.equal(stream.coding(), coding)
  }
})

// Node 20 announces gzip, and would pass on undecoded what is packed in zstd.
test('fetch of Node is told each block at once in a coding that it announces', async (t) => {
  const stream = await startPacked(t)
  const response = fetch(stream.url, { signal: AbortSignal.timeout(PATIENCE_MS) })
  const pieces = response.then(({ body }) => body.pipeThrough(new TextDecoderStream()).values())
  await tellOneByOne(stream, pieces.then(readPieces))
  assert.notEqual(stream.coding(), 'identity')
  await stream.end()
  // Resolves at an orderly end only.
  await readFarewell(await pieces)
})

test('node:http with a gunzip of zlib is told each gzip block at once', async (t) => {
  const stream = await startPacked(t)
  const pieces = new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(PATIENCE_MS)
    const request = get(stream.url, { headers: { 'accept-encoding': 'gzip' }, signal })
    request.on('error', reject)
    request.on('response', (response) => {
      const text = response.pipe(createGunzip()).setEncoding('utf8')
      response.on('error', (error) => text.destroy(error))
      resolve(text[Symbol.asyncIterator]())
    })
  })
  await tellOneByOne(stream, pieces.then(readPieces))
  assert.equal(stream.coding(), 'gzip')
  await stream.end()
  // Resolves if the check sum is right.
  await readFarewell(await pieces)
})

test('a reader that accepts no coding gets text as it is', async (t) => {
  const stream = await startPacked(t)
  const signal = AbortSignal.timeout(PATIENCE_MS)
  const response = fetch(stream.url, { headers: { 'accept-encoding': 'identity' }, signal })
  const pieces = response.then(({ body }) => body.pipeThrough(new TextDecoderStream()).values())
  await tellOneByOne(stream, pieces.then(readPieces))
  assert.equal(stream.coding(), 'identity')
})

test('what was sent before is replayed in either coding', async (t) => {
  const stream = await startPacked(t)
  for (const event of EVENTS) await stream.send(event)
  for (const [coding, profile] of [['zstd', {}], ['gzip', { userAgent: SAFARI }]]) {
    const read = await followInBrowser(t, stream, profile)
    assert.deepEqual(await read(EVENTS.length), EVENTS)
    assert.equal(stream.coding(), coding)
  }
})
