// Three clients of a stream that know nothing of the hub: `EventSource` in a browser, the package of
// that name in Node, and `curl`. Each tells what it has heard in the same form.

import { spawn } from 'node:child_process'

import { EventSource } from 'eventsource'

const CURL = process.env.TIDINGS_CURL ?? 'curl'

/** What has not come by then does not come. */
const PATIENCE_MS = 60_000

/** `EventSource` on a page of another origin. */
export async function inBrowser(t, browser, url, types) {
  const page = await browser.open(t)
  await page.evaluate(([url, types]) => follow(url, types), [url, types])
  return {
    until: (type, count = 1) =>
      page.evaluate(([type, count]) => recording.until(type, count), [type, count]),
  }
}

/** The package `eventsource` in Node. */
export function inNode(t, url, types) {
  const heard = new Heard()
  const source = new EventSource(url)
  t.after(() => source.close())
  for (const type of types) {
    source.addEventListener(type, ({ lastEventId, data }) => {
      heard.add({ type, id: lastEventId, data: JSON.parse(data) })
    })
  }
  source.addEventListener('open', () => heard.add({ type: 'open' }))
  source.addEventListener('error', ({ code }) => heard.add({ type: 'error', code }))
  return heard
}

/** `curl`, whose output is shown as events, comments (`type` is `:`) and its head (`head`). */
export function byCurl(t, url) {
  const heard = new Heard()
  const curl = spawn(CURL, ['--no-buffer', '--silent', '--show-error', '--include', url])
  t.after(() => curl.kill())
  let text = ''
  let isHead = true
  curl.stdout.setEncoding('utf8').on('data', (piece) => {
    text += piece
    for (;;) {
      const end = isHead ? '\r\n\r\n' : '\n\n'
      const at = text.indexOf(end)
      if (at < 0) return
      const block = text.slice(0, at)
      text = text.slice(at + end.length)
      heard.add(isHead ? { type: 'head', head: block } : entryOf(block))
      isHead = false
    }
  })
  curl.on('exit', (code) => heard.add({ type: 'exit', code }))
  return heard
}

function entryOf(block) {
  if (block.startsWith(':')) return { type: ':', data: block.slice(1).trim() }
  const field = (name) => new RegExp(`^${name}: ?(.*)$`, 'm').exec(block)?.[1]
  const data = field('data')
  return { type: field('event'), id: field('id'), data: data === undefined ? data : JSON.parse(data) }
}

/** Everything that a client has heard, in order, and who waits for more. */
class Heard {
  entries = []
  #waiting = []

  add(entry) {
    this.entries.push(entry)
    this.#waiting = this.#waiting.filter((wait) => !wait())
  }

  /** Resolves with all entries once `count` of them are of this type. */
  until(type, count = 1) {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        const came = JSON.stringify(this.entries.slice(-10))
        reject(new Error(`no ${count} of \`${type}\` came; the last entries are: ${came}`))
      }, PATIENCE_MS)
      const wait = () => {
        const enough = this.entries.filter((entry) => entry.type === type).length >= count
        if (enough) {
          clearTimeout(late)
          resolve(this.entries)
        }
        return enough
      }
      if (!wait()) this.#waiting.push(wait)
    })
  }
}
