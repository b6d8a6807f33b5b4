// Which pages may read a hub, and how they show who they are.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { startBrowser } from './chromium.mjs'
import { dataDirectory, makeToken, startHub } from './hub.mjs'

const LISTED = 'localhost'
const NOT_LISTED = 'other.localhost'

let browser
before(async () => {
  browser = await startBrowser()
})
after(() => browser.close())

/** A hub as in production: a configured secret, one listed origin, nothing for development. */
async function startGuarded(t) {
  const directory = await dataDirectory(t)
  const settings = {
    TIDINGS_AUTH_SECRET: 'a secret of the browser tests, long enough',
    TIDINGS_CORS_ORIGINS: browser.originOf(LISTED),
  }
  const hub = await startHub(t, directory, { settings, development: false })
  const grants = ['--sub', 'page', '--publish', 'shop/*', '--subscribe', 'shop/*']
  return { hub, token: await makeToken(directory, settings, ...grants) }
}

const withToken = (token) => ({
  credentials: 'include',
  headers: { authorization: `Bearer ${token}` },
})

test('a page of an origin that is not listed reads nothing', async (t) => {
  const { hub, token } = await startGuarded(t)
  const pageUrl = `${hub.url}/v1/events?topics=shop/*`
  const stranger = await browser.open(t, NOT_LISTED)
  const refused = await stranger.evaluate(([url, options]) => ask(url, options), [
    pageUrl,
    withToken(token),
  ])
  assert.deepEqual(refused, { refused: 'TypeError' })
  assert.ok(hub.log.includes(browser.originOf(NOT_LISTED)), 'the log names the origin')

  // The same question of a listed page has an answer, so it was the origin that was refused.
  const known = await browser.open(t, LISTED)
  const answered = await known.evaluate(([url, options]) => ask(url, options), [
    pageUrl,
    withToken(token),
  ])
  assert.equal(answered.status, 200)
  assert.deepEqual(answered.body.events, [])
})

test('in development too, an EventSource of a foreign name is refused for good', async (t) => {
  const hub = await startHub(t, await dataDirectory(t))
  const page = await browser.open(t, NOT_LISTED)
  await page.evaluate((url) => follow(`${url}/v1/stream?topics=shop/*&userId=reader`, []), hub.url)
  const entries = await page.evaluate(() => recording.until('error'))
  assert.deepEqual(entries, [{ type: 'error', closed: true }])
})

test('a listed page with credentials streams by fetch with an Authorization header', async (t) => {
  const { hub, token } = await startGuarded(t)
  const [earlier, later] = await hub.publish(
    [1, 2].map((n) => ({ type: 'order.paid', topics: ['shop/7'], data: n })),
    token,
  )
  const page = await browser.open(t, LISTED)
  const options = withToken(token)
  options.headers['last-event-id'] = earlier.cursor
  const head = await page.evaluate(([url, options]) => followByFetch(url, options), [
    `${hub.url}/v1/stream?topics=shop/*`,
    options,
  ])
  assert.deepEqual(head, { status: 200, type: 'text/event-stream; charset=utf-8' })
  await page.evaluate(() => recording.until('order.paid'))
  await hub.publish([{ type: 'order.paid', topics: ['shop/7'], data: 3 }], token)
  const entries = await page.evaluate(() => recording.until('order.paid', 2))
  assert.deepEqual(
    entries.map(({ type }) => type),
    ['tidings.hello', 'order.paid', 'order.paid'],
  )
  assert.equal(entries[0].data.replay, 'complete')
  assert.equal(entries[1].id, later.cursor)
  assert.deepEqual([entries[1].data.data, entries[2].data.data], [2, 3])
})

test('a listed page can read why its token is refused', async (t) => {
  const { hub } = await startGuarded(t)
  const page = await browser.open(t, LISTED)
  const answer = await page.evaluate(([url, options]) => ask(url, options), [
    `${hub.url}/v1/stream?topics=shop/*`,
    withToken('not.a.token'),
  ])
  assert.equal(answer.status, 401)
  assert.equal(answer.body.code, 'invalid_token')
})

test('a plain EventSource of a listed origin works with credentials', async (t) => {
  const hub = await startHub(t, await dataDirectory(t))
  const page = await browser.open(t, LISTED)
  await page.evaluate(
    (url) =>
      follow(`${url}/v1/stream?topics=shop/*&userId=reader`, ['order.paid'], {
        withCredentials: true,
      }),
    hub.url,
  )
  await page.evaluate(() => recording.until('tidings.hello'))
  await hub.publish([{ type: 'order.paid', topics: ['shop/7'], data: 1 }])
  const entries = await page.evaluate(() => recording.until('order.paid'))
  assert.equal(entries.at(-1).data.data, 1)
})
