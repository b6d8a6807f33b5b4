// Issuers that a test plays itself: their keys at addresses of this machine, and what the settings
// say of them.

import { once } from 'node:events'
import { createServer } from 'node:http'

import { keyFor } from './tokens.mjs'

/** What the settings say of the issuer of each shape of `tokens.mjs`, but for where its keys are. */
const SETTINGS = {
  clerk: `preset = "clerk"
issuer = "https://clerk.example.com"
authorized_parties = ["https://app.example.com"]`,
  auth0: `preset = "auth0"
issuer = "https://example.eu.auth0.com/"
audiences = ["https://api.example.com"]
role_claims = ["https://app\\\\.example\\\\.com/roles"]`,
  supabase: `preset = "supabase"
issuer = "https://abcdefghijklmnopqrst.supabase.co/auth/v1"`,
  keycloak: `preset = "keycloak"
issuer = "https://id.example.com/realms/example"
client = "web"`,
  cognito: `preset = "cognito"
issuer = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_example"
client = "57cbishk4j24pabc1234567890"`,
}

/** Both versions of Clerk's claims come from one issuer. */
export const issuerOf = (shape) => (shape.startsWith('clerk') ? 'clerk' : shape)

/** The names of all issuers. */
export const ISSUERS = Object.keys(SETTINGS)

/** A server of key sets: `http://127.0.0.1:<port>/<issuer>/jwks.json`. Ends with the test. */
export class KeyServer {
  /** The keys that each issuer publishes now, by its name. */
  published = {}
  /** How often the keys of each issuer were asked for. */
  asked = {}
  #server
  #port = 0

  static async start(test) {
    const server = new KeyServer()
    await server.up()
    test.after(() => server.down())
    return server
  }

  /** Makes a new key that an issuer signs with and publishes in place of the ones before. */
  async rotate(issuer, kid, algorithm = issuer === 'supabase' ? 'ES256' : 'RS256') {
    const key = await keyFor(algorithm, kid)
    this.published[issuer] = [key.jwk]
    return key
  }

  /** Answers again, at the address of before. */
  async up() {
    this.#server = createServer((request, response) => {
      const issuer = /^\/([\w-]+)\/jwks\.json$/.exec(request.url)?.[1]
      const keys = this.published[issuer]
      this.asked[issuer] = (this.asked[issuer] ?? 0) + 1
      response.writeHead(keys ? 200 : 404, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ keys: keys ?? [] }))
    })
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = this.#server.address().port
  }

  /** Answers nobody any more: connections to it are refused. */
  async down() {
    const server = this.#server
    if (!server.listening) return
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }

  /** Where the keys of an issuer are. */
  addressOf(issuer) {
    return `http://127.0.0.1:${this.#port}/${issuer}/jwks.json`
  }

  /** The settings of the presets, with keys from here. */
  settings() {
    const table = ([name, lines]) =>
      `[[auth.issuer]]\nname = "${name}"\n${lines}\njwks_url = "${this.addressOf(name)}"\n`
    return Object.entries(SETTINGS).map(table).join('\n')
  }
}
