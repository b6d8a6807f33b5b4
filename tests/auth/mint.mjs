// Writes the fixtures of the Rust tests, made by the libraries themselves:
//
//     npm ci && npm run mint
//
// The files are checked in, so that the tests need no Node. Nothing in them is a secret of anybody.

import assert from 'node:assert/strict'
import { hkdfSync } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'

import { CompactEncrypt, exportSPKI, importJWK } from 'jose'
import { verifyToken } from '@clerk/backend'

import { NAMES, authJs, chunkedByAuthJs, chunkedByNextAuth, nextAuth } from './sessions.mjs'
import { ALGORITHMS, HEADERS, SHAPES, keyFor, sign } from './tokens.mjs'

const directory = new URL('../../crates/tidings-auth/tests/fixtures/', import.meta.url)

const SECRET = 'not-a-secret-but-a-fixture-of-the-tests-0001'
const OLD_SECRET = 'not-a-secret-but-a-fixture-of-the-tests-0000'
const OTHER_SECRET = 'not-a-secret-but-a-fixture-of-others-0000001'

const YEAR_2100 = 4_102_444_800
const now = Math.floor(Date.now() / 1000)
const untilTheYear2100 = YEAR_2100 - now

const user = { sub: 'u1', name: 'Ada', email: 'ada@example.com', roles: ['ADMIN', 'EDITOR'] }
const long = { ...user, biography: 'Lorem ipsum dolor sit amet. '.repeat(300) }

async function sessions() {
  const { authJs: v5, nextAuth: v4 } = NAMES
  const valid = []
  const add = (label, cookies, subject = 'u1', roles = user.roles) =>
    valid.push({ label, subject, roles, cookies })
  const v5Cookie = async (name, token, secret = SECRET) => [
    [name, await authJs(name, secret, token, untilTheYear2100)],
  ]
  const v4Cookie = async (name, token, secret = SECRET) => [
    [name, await nextAuth(secret, token, untilTheYear2100)],
  ]
  for (const prefix of ['', '__Secure-', '__Host-']) {
    add(`Auth.js 5, ${prefix}`, await v5Cookie(prefix + v5, user))
    add(`NextAuth 4, ${prefix}`, await v4Cookie(prefix + v4, user))
  }
  add('Auth.js 5, secret before', await v5Cookie(v5, user, OLD_SECRET))
  add('Auth.js 5, two secrets', await v5Cookie(v5, user, [SECRET, OLD_SECRET]))
  add('NextAuth 4, secret before', await v4Cookie(v4, user, OLD_SECRET))
  add('Auth.js 5 under the name of 4', await v5Cookie(v4, user))
  add('NextAuth 4 under the name of 5', await v4Cookie(v5, user))
  add('Auth.js 5, one role', await v5Cookie(v5, { sub: 'u2', role: 'ADMIN' }), 'u2', ['ADMIN'])
  add('NextAuth 4, no role', await v4Cookie(v4, { sub: 'u3', role: null }), 'u3', [])
  for (const prefix of ['', '__Secure-']) {
    const name5 = prefix + v5
    const name4 = prefix + v4
    const [[, value5]] = await v5Cookie(name5, long)
    const [[, value4]] = await v4Cookie(name4, long)
    add(`Auth.js 5, in parts, ${prefix}`, await chunkedByAuthJs(name5, value5))
    add(`NextAuth 4, in parts, ${prefix}`, await chunkedByNextAuth(name4, value4))
  }
  // Auth.js 5 also reads A256GCM, with a key of its own.
  add('Auth.js 5, A256GCM', [[v5, await gcm(v5, { ...user, iat: now, exp: YEAR_2100, jti: 'j1' })]])

  const expired = [
    { label: 'Auth.js 5', cookies: [[v5, await authJs(v5, SECRET, user, -3_600)]] },
    { label: 'NextAuth 4', cookies: [[v4, await nextAuth(SECRET, user, -3_600)]] },
  ]
  const others = [
    { label: 'Auth.js 5', cookies: await v5Cookie(v5, user, OTHER_SECRET) },
    { label: 'NextAuth 4', cookies: await v4Cookie(v4, user, OTHER_SECRET) },
    {
      label: 'Auth.js 5, of another cookie',
      cookies: [[v5, await authJs('authjs.csrf-token', SECRET, user, untilTheYear2100)]],
    },
  ]
  const byId = [
    {
      label: 'Auth.js 5',
      subject: 'user-7',
      cookies: await v5Cookie(v5, { ...user, id: 'user-7' }),
    },
    {
      label: 'NextAuth 4',
      subject: 'user-7',
      cookies: await v4Cookie(v4, { user: { id: 'user-7', role: 'ADMIN' } }),
    },
  ]
  const claims = { sub: 'u1', iat: now, exp: YEAR_2100, jti: 'j1' }
  const wrong = []
  for (const [claim, value] of [
    ['exp', undefined],
    ['exp', '4102444800'],
    ['exp', null],
    ['exp', YEAR_2100 * 1000],
    ['nbf', '0'],
    ['iat', true],
    ['sub', undefined],
    ['sub', 1],
    ['sub', ''],
    ['roles', 1],
    ['roles', [1]],
    ['roles', { admin: true }],
    ['jti', 1],
    ['jti', ''],
    ['jti', 'j'.repeat(257)],
    ['tidings', { admin: 'yes' }],
  ]) {
    wrong.push({ label: claim, cookies: [[v5, await gcm(v5, { ...claims, [claim]: value })]] })
  }
  const early = [
    { label: 'Auth.js 5', cookies: await v5Cookie(v5, { ...user, nbf: YEAR_2100 - 3_600 }) },
    { label: 'NextAuth 4', cookies: await v4Cookie(v4, { ...user, nbf: YEAR_2100 - 3_600 }) },
  ]
  const noClaims = []
  for (const content of ['u1', ['u1'], null]) {
    noClaims.push({ label: typeof content, cookies: [[v5, await gcm(v5, content)]] })
  }
  return { secrets: [SECRET, OLD_SECRET], valid, expired, others, byId, wrong, early, noClaims }
}

async function gcm(cookie, claims) {
  const info = `Auth.js Generated Encryption Key (${cookie})`
  const key = new Uint8Array(hkdfSync('sha256', SECRET, cookie, info, 32))
  return new CompactEncrypt(new TextEncoder().encode(JSON.stringify(claims)))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
    .encrypt(key)
}

async function tokens() {
  const times = { iat: now, nbf: now - 10, exp: YEAR_2100 }
  const past = { iat: now - 7_200, nbf: now - 7_210, exp: now - 3_600 }
  const plain = ({ iat, exp }) => ({
    iss: 'https://id.example.com',
    aud: 'tidings',
    sub: 'u1',
    roles: ['ADMIN'],
    iat,
    exp,
  })
  const algorithms = []
  for (const algorithm of ALGORITHMS) {
    const key = await keyFor(algorithm, `key-${algorithm.toLowerCase()}`)
    algorithms.push({
      algorithm,
      jwks: { keys: [key.jwk] },
      valid: await sign(key, plain(times)),
      expired: await sign(key, plain(past)),
    })
  }
  const providers = []
  for (const [shape, claims] of Object.entries(SHAPES)) {
    const algorithm = shape === 'supabase' ? 'ES256' : 'RS256'
    const key = await keyFor(algorithm, `key-${shape.toLowerCase()}`)
    const token = await sign(key, claims(times), HEADERS[shape])
    if (shape.startsWith('clerk')) {
      const jwtKey = await exportSPKI(await importJWK(key.jwk, algorithm, { extractable: true }))
      const authorizedParties = ['https://app.example.com']
      const verified = await verifyToken(token, { jwtKey, authorizedParties })
      assert.equal(verified.sub, claims(times).sub)
    }
    providers.push({
      shape,
      issuer: claims(times).iss,
      subject: claims(times).sub,
      jwks: { keys: [key.jwk] },
      valid: token,
      expired: await sign(key, claims(past), HEADERS[shape]),
    })
  }
  return { algorithms, providers }
}

const write = (name, value) =>
  writeFile(new URL(name, directory), `${JSON.stringify(value, null, 2)}\n`)

await mkdir(directory, { recursive: true })
await write('sessions.json', await sessions())
await write('tokens.json', await tokens())
