// A browser comes back by itself, and has missed nothing.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { startBrowser } from './chromium.mjs'
import { dataDirectory, startHub } from './hub.mjs'

let browser
before(async () => {
  browser = await startBrowser()
})
after(() => browser.close())

const numbers = (entries) =>
  entries.filter(({ type }) => type === 'count').map(({ data }) => data.data)

const range = (from, to) => Array.from({ length: to - from }, (_, index) => from + index)

const count = (number) => ({
  type: 'count',
  topics: ['counting'],
  id: `count-${number}`,
  data: number,
})

async function reading(t, hub) {
  const page = await browser.open(t)
  await page.evaluate(
    (url) => follow(`${url}/v1/stream?topics=counting&userId=reader`, ['count']),
    hub.url,
  )
  await page.evaluate(() => recording.until('tidings.hello'))
  return page
}

test('after kill -9 the browser reconnects and gets each event exactly once', async (t) => {
  const directory = await dataDirectory(t)
  const killed = await startHub(t, directory)
  const page = await reading(t, killed)
  await killed.publish(range(0, 20).map(count))
  await page.evaluate(() => recording.until('count', 20))

  // The kill finds a publisher in the middle of its body.
  const cutOff = assert.rejects(killed.publishWithoutEnd(range(20, 40).map(count)))
  await page.evaluate(() => recording.until('count', 40))
  await killed.kill()
  await cutOff

  // While the hub is where the browser does not look for it, publishers go on, and repeat.
  const elsewhere = await startHub(t, directory)
  assert.notEqual(elsewhere.address, killed.address)
  const answers = await elsewhere.publish(range(0, 200).map(count))
  assert.ok(answers.slice(0, 40).every(({ duplicate }) => duplicate))
  assert.ok(answers.every(({ subscribers }) => !subscribers), 'nobody listens meanwhile')
  await elsewhere.kill()

  const back = await startHub(t, directory, { address: killed.address })
  await page.evaluate(() => recording.until('tidings.hello', 2))
  await back.publish(range(199, 221).map(count))
  const entries = await page.evaluate(() => recording.until('count', 221))

  assert.deepEqual(numbers(entries), range(0, 221))
  assert.ok(entries.some(({ type, closed }) => type === 'error' && !closed), 'it was cut off')
  assert.ok(!entries.some(({ type }) => type === 'tidings.gap'))
  const again = entries.findLastIndex(({ type }) => type === 'tidings.hello')
  const last = entries.slice(0, again).findLast(({ type }) => type === 'count')
  assert.equal(entries[again].data.cursor, last.id, 'the browser sent its last id')
  assert.equal(entries[again].data.replay, 'complete')
})

test('a drain says goodbye before the connection ends, and the browser comes back', async (t) => {
  const directory = await dataDirectory(t)
  const drained = await startHub(t, directory)
  const page = await reading(t, drained)
  await drained.publish([count(0)])
  await page.evaluate(() => recording.until('count'))

  assert.equal(await drained.drain(), 0, 'the hub ends in order')
  const told = await page.evaluate(() => recording.until('error'))
  // The browser may have tried to come back already, and failed again.
  const farewell = told.slice(0, told.findIndex(({ type }) => type === 'error') + 1)
  const types = farewell.map(({ type }) => type)
  assert.deepEqual(types.slice(-3), ['count', 'tidings.bye', 'error'])
  const [bye, error] = farewell.slice(-2)
  assert.ok(bye.data.retryAfterMs > 0, JSON.stringify(bye.data))
  assert.equal(error.closed, false, 'the browser means to come back')

  const back = await startHub(t, directory, { address: drained.address })
  await back.publish([count(1)])
  const entries = await page.evaluate(() => recording.until('count', 2))
  assert.deepEqual(numbers(entries), [0, 1])
  assert.equal(entries.findLast(({ type }) => type === 'tidings.hello').data.cursor, bye.id)
})
