// The files of `deploy`: each is taken by the program that reads it, and says nothing that is not so.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { parse } from 'yaml'

import { PROGRAM } from '../browser/hub.mjs'
import {
  DEPLOY,
  HAPROXY,
  NGINX,
  deployed,
  directory,
  freePort,
  makeCertificate,
  replaced,
  writeHaproxy,
  writeNginx,
} from './proxies.mjs'

const run = promisify(execFile)

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

const SECRET = { TIDINGS_AUTH_SECRET: 'a secret of tests, and of nothing else' }

/** What `tidings check-config` says of our settings, secrets apart. */
async function checkConfig(folder) {
  const secret = join(folder, 'secret')
  await writeFile(secret, SECRET.TIDINGS_AUTH_SECRET, { mode: 0o600 })
  return run(PROGRAM, ['check-config', '--config', join(DEPLOY, 'tidings.toml')], {
    cwd: folder,
    env: { TIDINGS_AUTH_SECRET_FILE: secret },
  })
}

test('the settings are good, and cause no warning', async (t) => {
  const { stdout, stderr } = await checkConfig(await directory(t))
  assert.equal(stderr, '')
  assert.match(stdout, /^listen = "127\.0\.0\.1:7878" /m)
  assert.match(stdout, /^\[\[rule\]\]/m)
})

test('the lines that are commented out are good as well', async (t) => {
  const folder = await directory(t)
  const { certificate, key } = await makeCertificate(folder)
  const settings = replaced(await deployed('tidings.toml'), [
    ['#[tls]', '[tls]'],
    ['#certificate = "/etc/tidings/tls/fullchain.pem"', `certificate = "${certificate}"`],
    ['#key = "/etc/tidings/tls/privkey.pem"', `key = "${key}"`],
    ['secret_file = "/etc/tidings/secret"', `secret = "${SECRET.TIDINGS_AUTH_SECRET}"`],
  ])
  const file = join(folder, 'tidings.toml')
  await writeFile(file, settings)
  const { stdout } = await run(PROGRAM, ['check-config', '--config', file], { env: {} })
  assert.match(stdout, /^tls\.certificate = /m)
})

test('systemd takes the unit, and finds little left to protect', async (t) => {
  const folder = await directory(t)
  const file = join(folder, 'tidings.service')
  const unit = replaced(await deployed('tidings.service'), [['/usr/local/bin/tidings', PROGRAM]])
  await writeFile(file, unit)
  const { stderr } = await run('systemd-analyze', ['verify', '--man=no', file])
  assert.doesNotMatch(stderr, /tidings\.service/)
  // In tenths of the ten points of exposure.
  await run('systemd-analyze', ['security', '--offline=true', '--threshold=15', file])
})

test('the unit gives a drain its time', async (t) => {
  const { stdout } = await checkConfig(await directory(t))
  const seconds = (text, pattern) => Number(pattern.exec(text)[1])
  const grace = seconds(stdout, /^drain\.grace = "(\d+)s"/m)
  const unit = await deployed('tidings.service')
  const compose = parse(await deployed('compose.yaml'))
  assert.ok(seconds(unit, /^TimeoutStopSec=(\d+)s$/m) > grace + 5)
  assert.ok(seconds(compose.services.tidings.stop_grace_period, /^(\d+)s$/) > grace + 5)
  assert.ok(seconds(unit, /^LimitNOFILE=(\d+)$/m) > 2 * seconds(stdout, /^limits\.connections = (\d+)/m))
})

test('nginx takes its file', async (t) => {
  const folder = await directory(t)
  const certificate = await makeCertificate(folder)
  const file = await writeNginx(folder, await freePort(), '127.0.0.1:1', certificate)
  const { stderr } = await run(NGINX, ['-t', '-p', folder, '-c', file])
  assert.doesNotMatch(stderr, /\[warn\]/)
})

test('HAProxy takes its file', async (t) => {
  const folder = await directory(t)
  const { both } = await makeCertificate(folder)
  const file = await writeHaproxy(folder, await freePort(), '127.0.0.1:1', both)
  const { stderr } = await run(HAPROXY, ['-c', '-f', file])
  assert.doesNotMatch(stderr, /WARNING/)
})

test('Caddy takes its file, and finds it in its form', async (t) => {
  const folder = await directory(t)
  const environment = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
  const file = join(DEPLOY, 'Caddyfile')
  const { stdout } = await run('caddy', ['adapt', '--validate', '--config', file], {
    env: { PATH: process.env.PATH, ...environment },
  })
  const handlers = stdout.match(/"handler":"reverse_proxy"/g)
  assert.equal(handlers.length, 1)
  assert.match(stdout, /"flush_interval":-1/)
  const { stdout: formatted } = await run('caddy', ['fmt', file])
  assert.equal(formatted, await deployed('Caddyfile'))
})

test('Prometheus takes the alerts', async () => {
  const { stdout } = await run('promtool', ['check', 'rules', join(DEPLOY, 'grafana/alerts.yml')])
  assert.match(stdout, /SUCCESS: 10 rules found/)
})

/** The names of all series, by the list that the hub's own tests hold it to. */
async function series() {
  const list = await readFile(
    join(ROOT, 'crates/tidings-http/src/snapshots/tidings_http__metrics__tests__the_names_of_all_metrics.snap'),
    'utf8',
  )
  const types = [...list.matchAll(/^# TYPE (\S+) (\S+)$/gm)]
  assert.ok(types.length > 20)
  return new Set(
    types.flatMap(([, name, kind]) => {
      if (kind === 'counter') return [`${name}_total`]
      if (kind === 'histogram') return ['bucket', 'sum', 'count'].map((end) => `${name}_${end}`)
      return [name]
    }),
  )
}

test('every metric of the dashboard and of the alerts is one', async () => {
  const known = await series()
  const alerts = parse(await deployed('grafana/alerts.yml'))
  const dashboard = JSON.parse(await deployed('grafana/dashboard.json'))
  const expressions = [
    ...alerts.groups.flatMap(({ rules }) => rules.map(({ expr }) => expr)),
    ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ...dashboard.templating.list.map(({ query }) => query.query ?? ''),
  ]
  const used = new Set(expressions.flatMap((text) => text.match(/\btidings_\w+/g) ?? []))
  assert.ok(used.size > 15)
  for (const name of used) assert.ok(known.has(name), `the hub has no \`${name}\``)
  const ids = dashboard.panels.map(({ id }) => id)
  assert.equal(new Set(ids).size, ids.length)
})

test('the image is made of what is there, and needs no shell to look after it', async () => {
  const lines = replaced(await deployed('Dockerfile'), [['\\\n', ' ']]).split('\n')
  const copied = lines
    .filter((line) => /^COPY (?!--from)/.test(line))
    .flatMap((line) => line.split(' ').slice(1, -1))
  assert.ok(copied.length > 5)
  const ignored = (await deployed('Dockerfile.dockerignore')).split('\n')
  for (const path of copied) {
    await stat(join(ROOT, path))
    assert.ok(ignored.includes(`!${path}`), `${path} is in the context`)
  }
  // Cargo looks at all members, also where it builds one.
  const manifest = await readFile(join(ROOT, 'Cargo.toml'), 'utf8')
  const members = JSON.parse(/^members = (\[.*\])$/m.exec(manifest)[1])
  for (const member of members) assert.ok(copied.includes(member.replace('/*', '')), member)
  const wanted = /^rust-version = "(.*)"$/m.exec(manifest)[1]
  assert.ok(lines.includes(`FROM rust:${wanted}-bookworm AS build`))

  const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')))
  const [program, verb] = JSON.parse(/ CMD (\[.*\])$/.exec(last.find((line) => line.startsWith('HEALTHCHECK ')))[1])
  assert.equal(program, JSON.parse(last.find((line) => line.startsWith('ENTRYPOINT ')).slice(11))[0])
  await run(PROGRAM, [verb, '--help'])
})

test('the services of compose name what is there', async () => {
  const compose = parse(await deployed('compose.yaml'))
  const { tidings } = compose.services
  await stat(join(DEPLOY, tidings.build.context, tidings.build.dockerfile))
  for (const secret of tidings.secrets) assert.ok(compose.secrets[secret])
  for (const volume of tidings.volumes) {
    const [source] = volume.split(':')
    if (source.startsWith('.')) await stat(join(DEPLOY, source))
    else assert.ok(source in compose.volumes, source)
  }
  // All variables are settings: an unknown one would end the hub.
  const { stdout } = await run(PROGRAM, ['check-config', '--reference'])
  for (const name of Object.keys(tidings.environment)) assert.ok(stdout.includes(`\`${name}\``), name)
})
