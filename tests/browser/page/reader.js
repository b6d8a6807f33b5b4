// Runs inside the page: writes down what a stream gives, and says when enough has come.

/** What has not come by then does not come; the test then shows what did. */
const PATIENCE_MS = 60_000

/** Everything that came, in order, and who waits for more. */
class Recording {
  entries = []
  #waiting = []

  add(entry) {
    this.entries.push(entry)
    this.#waiting = this.#waiting.filter((wait) => !wait())
  }

  /** Resolves with all entries once `count` of them are of this type. */
  until(type, count = 1) {
    return new Promise((resolve, reject) => {
      const wait = () => {
        const enough = this.entries.filter((entry) => entry.type === type).length >= count
        if (enough) resolve(this.entries)
        return enough
      }
      if (wait()) return
      this.#waiting.push(wait)
      setTimeout(() => {
        const came = JSON.stringify(this.entries.slice(-10))
        reject(new Error(`no ${count} of \`${type}\` came; the last entries are: ${came}`))
      }, PATIENCE_MS)
    })
  }
}

/**
 * Opens a plain `EventSource` and records the events of these types and of the hub itself.
 * `open` and `error` tell what the browser makes of the connection.
 */
globalThis.follow = (url, types, options) => {
  const recording = new Recording()
  const source = new EventSource(url, options)
  const control = ['tidings.hello', 'tidings.gap', 'tidings.bye']
  for (const type of [...control, ...types]) {
    source.addEventListener(type, (message) => {
      recording.add({ type, id: message.lastEventId, data: JSON.parse(message.data) })
    })
  }
  source.addEventListener('open', () => recording.add({ type: 'open' }))
  source.addEventListener('error', () => {
    recording.add({ type: 'error', closed: source.readyState === EventSource.CLOSED })
  })
  globalThis.recording = recording
}

/** Asks with `fetch`: status and body of an answer that ends, or the browser's refusal. */
globalThis.ask = async (url, options) => {
  try {
    const response = await fetch(url, options)
    return { status: response.status, body: await response.json() }
  } catch (error) {
    return { refused: error.name }
  }
}

/** Reads a stream with `fetch` and records its blocks as text. */
globalThis.followByFetch = async (url, options) => {
  const response = await fetch(url, options)
  const recording = new Recording()
  globalThis.recording = recording
  const record = async () => {
    let text = ''
    for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
      text += piece
      const blocks = text.split('\n\n')
      text = blocks.pop()
      for (const block of blocks) {
        const field = (name) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1]
        recording.add({ type: field('event'), id: field('id'), data: JSON.parse(field('data')) })
      }
    }
  }
  record().catch((error) => recording.add({ type: 'broken', cause: String(error) }))
  return { status: response.status, type: response.headers.get('content-type') }
}
