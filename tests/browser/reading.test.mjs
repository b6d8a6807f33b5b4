// A page of another origin reads a hub with nothing but `EventSource`.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { startBrowser } from './chromium.mjs'
import { dataDirectory, startHub } from './hub.mjs'

let browser
before(async () => {
  browser = await startBrowser()
})
after(() => browser.close())

test('a plain EventSource on a page of another origin gets hello and then the events', async (t) => {
  const hub = await startHub(t, await dataDirectory(t))
  const page = await browser.open(t)
  assert.notEqual(new URL(page.url()).origin, hub.url)
  await page.evaluate(
    (url) => follow(`${url}/v1/stream?topics=shop/*&userId=reader`, ['order.paid']),
    hub.url,
  )
  await page.evaluate(() => recording.until('tidings.hello'))

  const [first, , third] = await hub.publish([
    { type: 'order.paid', topics: ['shop/7'], id: 'order-1', data: { total: 42 } },
    { type: 'order.paid', topics: ['elsewhere/7'], data: 'for other readers' },
    { type: 'order.paid', topics: ['shop/8'], data: { total: 43 } },
  ])
  assert.notEqual(first.subscribers, 0, 'one, or not known in time')
  const entries = await page.evaluate(() => recording.until('order.paid', 2))

  const [open, hello, ...events] = entries
  assert.equal(open.type, 'open')
  assert.equal(hello.type, 'tidings.hello')
  assert.equal(hello.data.replay, 'none')
  assert.deepEqual(
    events.map(({ id, data }) => [id, data.id, data.metadata.topics, data.data]),
    [
      [first.cursor, 'order-1', ['shop/7'], { total: 42 }],
      [third.cursor, third.cursor, ['shop/8'], { total: 43 }],
    ],
  )
})

test('text that could break out of its line arrives unharmed', async (t) => {
  const hub = await startHub(t, await dataDirectory(t))
  const page = await browser.open(t)
  await page.evaluate((url) => follow(`${url}/v1/stream?topics=text&userId=reader`, ['text']), hub.url)
  await page.evaluate(() => recording.until('tidings.hello'))

  const texts = [
    'line\u2028and paragraph\u2029separators',
    '🗞️ 👩‍👩‍👧‍👦 \u{10ffff} é e\u0301',
    'a\r\nb\rc\nd\n\ndata: forged\n\nid: 9-forged0000\n',
    '\ufeff\u0000\u0085\\u2028 </script>',
  ]
  const event = { type: 'text', topics: ['text'], data: texts, metadata: { [texts[0]]: texts[1] } }
  await hub.publish([event])
  // Line breaks between the tokens of JSON are not text, and must not end the line either.
  const broken = JSON.stringify(event, null, '\t').replaceAll('\n', '\r\n')
  assert.ok((await hub.publishText(broken)).ok)
  const entries = await page.evaluate(() => recording.until('text', 2))
  const [hello, ...events] = entries.filter(({ type }) => type !== 'open')
  assert.equal(hello.type, 'tidings.hello')
  assert.equal(events.length, 2)
  for (const { data } of events) {
    assert.deepEqual(data.data, texts)
    assert.equal(data.metadata[texts[0]], texts[1])
  }
})

test('a cursor of another system is answered with a gap, once', async (t) => {
  const directory = await dataDirectory(t)
  const hub = await startHub(t, directory)
  await hub.publish([{ type: 'note', topics: ['notes'], data: 'before' }])
  const page = await browser.open(t)
  await page.evaluate(
    (url) =>
      follow(`${url}/v1/stream?topics=notes&userId=reader&lastEventId=77-zzzzzzzzzz`, ['note']),
    hub.url,
  )
  const [, hello, gap] = await page.evaluate(() => recording.until('tidings.gap'))
  assert.equal(hello.type, 'tidings.hello')
  assert.equal(hello.data.replay, 'gap')
  assert.equal(hello.id, '', 'what is not told yet has no id')
  assert.equal(gap.data.reason, 'unknown')
  assert.equal(gap.data.from, null)
  assert.equal(gap.data.to, gap.id)

  // When the browser comes back, its own header counts and not the old cursor in the address.
  await hub.kill()
  await startHub(t, directory, { address: hub.address })
  const entries = await page.evaluate(() => recording.until('tidings.hello', 2))
  assert.equal(entries.at(-1).data.replay, 'complete')
  assert.equal(entries.at(-1).data.cursor, gap.id)
  assert.equal(entries.filter(({ type }) => type === 'tidings.gap').length, 1)
})
