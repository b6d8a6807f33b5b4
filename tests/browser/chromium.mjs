// A browser, and pages of an origin that is not the hub's.

import { createServer } from 'node:http'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'

import { chromium } from 'playwright-core'

const PROGRAM = process.env.TIDINGS_CHROMIUM ?? '/usr/bin/chromium'

/** No sandbox, because containers have none to give; nothing that talks to the world by itself. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const READER = await readFile(new URL('page/reader.js', import.meta.url))

const PAGE = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>reader</title><script src="/reader.js"></script></html>
`

/** Starts a browser with a fresh profile and a site for its pages; `close` ends both. */
export async function startBrowser() {
  const site = createServer((request, response) => {
    const script = request.url === '/reader.js'
    response.setHeader('content-type', `text/${script ? 'javascript' : 'html'}; charset=utf-8`)
    response.end(script ? READER : PAGE)
  })
  site.listen(0, '127.0.0.1')
  await once(site, 'listening')
  const { port } = site.address()
  const browser = await chromium.launch({ executablePath: PROGRAM, headless: true, args: FLAGS })

  return {
    /** The origin of pages on this host; browsers lead `localhost` and its sub-domains here. */
    originOf: (host) => `http://${host}:${port}`,

    /**
     * Opens a page on `host` that knows `reader.js`, in a profile of its own; `profile` is what
     * differs from an ordinary one.
     */
    async open(test, host = 'localhost', profile = {}) {
      const context = await browser.newContext(profile)
      test.after(() => context.close())
      const page = await context.newPage()
      await page.goto(`http://${host}:${port}/`)
      return page
    },

    async close() {
      await browser.close()
      site.closeAllConnections()
      site.close()
    },
  }
}
