// Guides as they are written: their blocks by section, and what a reader would do with them.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { PROGRAM } from '../browser/hub.mjs'

const GUIDE = new URL('../../docs/guides/connect-your-login.md', import.meta.url)

/** A guide, that to logins by default. Every block that is taken is counted, so that none is left out. */
export class Guide {
  #blocks = []
  #taken = new Set()

  static async read(file = GUIDE) {
    const guide = new Guide()
    const text = await readFile(file, 'utf8')
    for (const section of text.split(/^## /m).slice(1)) {
      const title = section.slice(0, section.indexOf('\n'))
      for (const [, language, code] of section.matchAll(/^```(\w+)\n(.*?)^```$/gms)) {
        guide.#blocks.push({ title, language, code })
      }
    }
    return guide
  }

  /** The blocks of a section in a language, in their order. */
  take(title, language) {
    const found = this.#blocks.filter((one) => one.title === title && one.language === language)
    assert.ok(found.length > 0, `the guide has no ${language} under "${title}"`)
    for (const block of found) this.#taken.add(block)
    return found.map((block) => block.code)
  }

  /** Every block of settings. */
  settings() {
    return this.#blocks.filter((block) => block.language === 'toml')
  }

  /** The blocks that a test of this guide has to run and that none has taken. */
  left() {
    return this.#blocks.filter((block) => block.language !== 'toml' && !this.#taken.has(block))
  }
}

/** A text with other hosts and paths in it; each of them must be there. */
export function substituted(text, substitutes) {
  return Object.entries(substitutes).reduce((changed, [from, to]) => {
    assert.ok(changed.includes(from), `no ${from} in:\n${changed}`)
    return changed.replaceAll(from, to)
  }, text)
}

const AsyncFunction = (async () => {}).constructor

/**
 * Runs JavaScript of the guide with these names in its scope, and returns the value of one of its
 * own. Imports are taken from `packages`.
 */
export function runScript(code, scope, result, packages = {}) {
  const body = code.replaceAll(
    /^import (\{[^}]*\}) from "([^"]+)";$/gm,
    (_line, names, name) => `const ${names} = packages[${JSON.stringify(name)}];`,
  )
  const names = Object.keys(scope)
  const run = new AsyncFunction('packages', ...names, `${body}\nreturn ${result};`)
  return run(packages, ...Object.values(scope))
}

/** Runs a shell command of the guide beside a hub; `tidings` is the program that is tested. */
export async function runShell(directory, command, variables = {}) {
  const programs = join(directory, 'programs')
  await mkdir(programs, { recursive: true })
  await symlink(PROGRAM, join(programs, 'tidings')).catch((error) => {
    if (error.code !== 'EEXIST') throw error
  })
  const env = {
    PATH: `${programs}:${process.env.PATH}`,
    TIDINGS_DATA_DIR: join(directory, 'data'),
    ...variables,
  }
  return promisify(execFile)('sh', ['-c', command], { cwd: directory, env })
}

/** What `check-config` says to settings: nothing, if they can be used. */
export async function checkConfig(directory, settings, variables) {
  await writeFile(join(directory, 'tidings.toml'), settings)
  const env = { PATH: process.env.PATH, ...variables }
  return promisify(execFile)(PROGRAM, ['check-config'], { cwd: directory, env }).then(
    () => '',
    (error) => error.stderr,
  )
}
