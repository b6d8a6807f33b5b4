// A hub by the settings of `deploy`, in a directory of its own.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { makeToken, startHub } from '../browser/hub.mjs'
import { DEPLOY, directory } from './proxies.mjs'

const SECRET = 'a secret of tests, and of nothing else'

const GRANTS = ['--publish', 'a/**', '--subscribe', 'a/**']

/** Starts a hub, with these variables besides; `token` is somebody's for it, and `at` its address. */
export async function startDeployed(t, settings = {}) {
  const folder = await directory(t)
  const secret = join(folder, 'secret')
  await writeFile(secret, SECRET, { mode: 0o600 })
  const own = {
    TIDINGS_CONFIG: join(DEPLOY, 'tidings.toml'),
    TIDINGS_AUTH_SECRET_FILE: secret,
    ...settings,
  }
  const hub = await startHub(t, folder, { settings: own, development: false })
  const token = await makeToken(folder, own, '--sub', 'me', ...GRANTS)
  return { hub, token, at: hub.address }
}
