// Session cookies, made by the libraries that make them in applications.

import { createRequire } from 'node:module'
import path from 'node:path'

import { encode as encodeAuthJs } from '@auth/core/jwt'
import { encode as encodeNextAuth } from 'next-auth/jwt'

const silent = { debug() {}, warn() {}, error() {} }

/** The default names of the session cookie. */
export const NAMES = {
  authJs: 'authjs.session-token',
  nextAuth: 'next-auth.session-token',
}

/** A session as Auth.js 5 encrypts it for a cookie of this name. */
export const authJs = (cookie, secret, token, maxAge) =>
  encodeAuthJs({ salt: cookie, secret, token, maxAge })

/** A session as NextAuth 4 encrypts it, whatever its cookie is called. */
export const nextAuth = (secret, token, maxAge) => encodeNextAuth({ secret, token, maxAge })

/** Cuts a session into cookies, `[name, value]` each, the way Auth.js does. */
export async function chunkedByAuthJs(cookie, value) {
  const { SessionStore } = await internal('@auth/core/jwt', 'lib/utils/cookie.js')
  return chunked(SessionStore, {}, cookie, value)
}

/** Cuts a session into cookies, `[name, value]` each, the way NextAuth does. */
export async function chunkedByNextAuth(cookie, value) {
  const { SessionStore } = await internal('next-auth/jwt', '../core/lib/cookie.js')
  return chunked(SessionStore, { cookies: {} }, cookie, value)
}

function chunked(SessionStore, request, name, value) {
  const store = new SessionStore({ name, options: {} }, request, silent)
  return store.chunk(value, {}).map((cookie) => [cookie.name, cookie.value])
}

// Neither package exports what cuts its cookies, so it is taken from its file.
async function internal(entry, file) {
  const directory = path.dirname(createRequire(import.meta.url).resolve(entry))
  return import(path.join(directory, file))
}
