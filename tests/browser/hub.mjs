// The real program, as its own process, on a directory of its own.

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** The program, as it was built last. */
export const PROGRAM =
  process.env.TIDINGS_PROGRAM ??
  fileURLToPath(new URL('../../target/debug/tidings', import.meta.url))

/** How long a line of its log may take. */
const PATIENCE_MS = 60_000

/** What every hub of the suite is told; nothing of the caller's own settings reaches it. */
const SETTINGS = {
  PATH: process.env.PATH,
  TIDINGS_DRAIN_SPREAD: '100ms',
  TIDINGS_DRAIN_GRACE: '5s',
}

/** Makes a data directory that goes with the test. */
export async function dataDirectory(test) {
  const directory = await mkdtemp(join(tmpdir(), 'tidings-browser-'))
  test.after(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/**
 * Starts a hub and waits until it can be reached. It ends with the test at the latest.
 *
 * `address` is where it listens, by default a free port; `settings` are environment variables;
 * `development` is whether it runs with `--dev`.
 */
export async function startHub(test, directory, options = {}) {
  const { address = '127.0.0.1:0', settings = {}, development = true } = options
  const mode = development ? ['--dev'] : []
  const process = spawn(
    PROGRAM,
    ['serve', ...mode, '--listen', address, '--data-dir', join(directory, 'data')],
    { cwd: directory, env: { ...SETTINGS, ...settings }, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const hub = new Hub(process)
  test.after(() => hub.kill())
  await hub.started
  return hub
}

/** A token made by the program itself. */
export async function makeToken(directory, settings, ...options) {
  const { stdout } = await promisify(execFile)(PROGRAM, ['token', ...options], {
    cwd: directory,
    env: { ...SETTINGS, ...settings },
  })
  return stdout.trim()
}

class Hub {
  /** Where it listens, such as `http://127.0.0.1:41234`. */
  url
  /** What it has logged. */
  log = ''
  #process
  #ended

  constructor(process) {
    this.#process = process
    this.#ended = once(process, 'exit')
    process.stderr.setEncoding('utf8').on('data', (text) => {
      this.log += text
    })
    this.started = new Promise((resolve, reject) => {
      createInterface(process.stdout).on('line', (line) => {
        const address = /^tidings listens on (\S+)$/.exec(line)
        if (address) {
          this.url = address[1]
          resolve()
        }
      })
      process.on('error', reject)
      process.on('exit', (code) => reject(new Error(`the hub ended with ${code}: ${this.log}`)))
    })
  }

  /** Host and port, for a hub that takes this one's place. */
  get address() {
    return new URL(this.url).host
  }

  /** Waits until it has logged a line like this. */
  async logged(line) {
    const signal = AbortSignal.timeout(PATIENCE_MS)
    while (!line.test(this.log)) await once(this.#process.stderr, 'data', { signal })
  }

  /** Ends it without a word, as a power cut would. */
  async kill() {
    this.#process.kill('SIGKILL')
    await this.#ended
  }

  /** Asks it to end, and waits until it has; returns its exit code. */
  async drain() {
    this.#process.kill('SIGTERM')
    const [code] = await this.#ended
    return code
  }

  /** Publishes events in order and returns the answers; `token` is not needed in development. */
  async publish(events, token) {
    const { ok, text } = await this.#post('application/x-ndjson', lines(events), token)
    const answers = text.trim().split('\n').map((line) => JSON.parse(line))
    if (!ok || answers.some((answer) => answer.error)) {
      throw new Error(`the hub refused to publish: ${text}`)
    }
    return answers
  }
  /** Publishes events in a body that never ends; fulfilled when the hub ends the answer anyway. */
  publishWithoutEnd(events) {
    const body = new ReadableStream({
      start: (stream) => stream.enqueue(new TextEncoder().encode(lines(events))),
    })
    return this.#post('application/x-ndjson', body)
  }

  /** Publishes one event in a text of the caller's own. */
  publishText(body) {
    return this.#post('application/json', body)
  }

  async #post(type, body, token) {
    const query = token ? '' : '?userId=publisher'
    const response = await fetch(`${this.url}/v1/events${query}`, {
      method: 'POST',
      headers: {
        'content-type': type,
        ...(token && { authorization: `Bearer ${token}` }),
      },
      body,
      duplex: 'half',
    })
    return { ok: response.ok, text: await response.text() }
  }
}

const lines = (events) => events.map((event) => `${JSON.stringify(event)}\n`).join('')
