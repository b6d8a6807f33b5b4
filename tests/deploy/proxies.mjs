// Proxies that run by the files of `deploy`, each on free ports and in a directory of its own.
//
// A file is taken as it is, but for what is of another machine: addresses, certificates and paths. Each
// of these must stand in it, so that the file cannot change without its tests.

import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { HOST, PATIENCE_MS } from './stream.mjs'

const run = promisify(execFile)

/** A file of `deploy`, as it is. */
export const deployed = (name) =>
  readFile(new URL(`../../deploy/${name}`, import.meta.url), 'utf8')

export const DEPLOY = fileURLToPath(new URL('../../deploy/', import.meta.url))

/** A text with other words in place of some, each of which stands in it. */
export function replaced(text, words) {
  for (const [before, after] of words) {
    assert.ok(text.includes(before), `\`${before}\` stands in the file`)
    text = text.replaceAll(before, after)
  }
  return text
}

/** A directory that goes with the test. */
export async function directory(test) {
  const path = await mkdtemp(join(tmpdir(), 'tidings-deploy-'))
  // The workers of a proxy that root starts are somebody else.
  await chmod(path, 0o711)
  test.after(() => rm(path, { recursive: true, force: true, maxRetries: 5 }))
  return path
}

/** A certificate for the hub's name and its key, as files; `ca` is what believes it. */
export async function makeCertificate(folder) {
  const [certificate, key] = ['certificate.pem', 'key.pem'].map((name) => join(folder, name))
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
    ...['-subj', `/CN=${HOST}`, '-addext', `subjectAltName=DNS:${HOST}`, '-days', '2'],
    ...['-keyout', key, '-out', certificate],
  ])
  const ca = await readFile(certificate)
  const both = join(folder, 'both.pem')
  await writeFile(both, Buffer.concat([ca, await readFile(key)]))
  return { certificate, key, both, ca }
}

/** A port that nobody has at the moment: proxies cannot be asked which one the system gave them. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

/** Waits until somebody accepts connections there, as long as `goesOn` holds. */
async function accepting(port, goesOn) {
  const until = Date.now() + PATIENCE_MS
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    const [event] = await Promise.race(
      ['connect', 'error'].map((event) => once(socket, event).then(() => [event], () => ['error'])),
    )
    socket.destroy()
    if (event === 'connect') return
    goesOn()
    assert.ok(Date.now() < until, `nobody listens on ${port}`)
    await turn()
  }
}

/** Starts a proxy, which says these words when it is ready, if any; it ends with the test. */
async function start(test, port, program, options, words = '') {
  const child = spawn(program, options, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said += text
  })
  const ended = once(child, 'exit')
  test.after(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const goesOn = () => assert.equal(child.exitCode, null, `${program} ended: ${said}`)
  await accepting(port, goesOn)
  while (!said.includes(words)) {
    goesOn()
    await turn()
  }
  return child
}

/** What nginx needs around a server, all of it in one folder. */
const aroundNginx = (folder, server) => `
daemon off;
worker_processes 1;
worker_shutdown_timeout 1s;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events {}
http {
    access_log off;
    client_body_temp_path ${folder}/body;
    proxy_temp_path ${folder}/proxy;
    fastcgi_temp_path ${folder}/fastcgi;
    uwsgi_temp_path ${folder}/uwsgi;
    scgi_temp_path ${folder}/scgi;
    ${server}
}
`

/** Writes our configuration of nginx; `words` are replaced besides. */
export async function writeNginx(folder, port, hub, { certificate, key }, words = []) {
  const server = replaced(await deployed('nginx.conf'), [
    ['127.0.0.1:7878', hub],
    ['listen 443 ssl http2;', `listen 127.0.0.1:${port} ssl http2;`],
    ['listen [::]:443 ssl http2;', ''],
    [`/etc/ssl/certs/${HOST}.pem`, certificate],
    [`/etc/ssl/private/${HOST}.key`, key],
    ['/var/log/nginx/', `${folder}/`],
    ...words,
  ])
  const file = join(folder, 'nginx.conf')
  await writeFile(file, aroundNginx(folder, server))
  return file
}

export const NGINX = '/usr/sbin/nginx'
export const HAPROXY = '/usr/sbin/haproxy'

/** Lets nginx read its configuration again: connections of the old workers are cut after a second. */
export const nginxReload = (folder) =>
  run(NGINX, ['-p', folder, '-c', join(folder, 'nginx.conf'), '-s', 'reload'])

/** Starts nginx by our configuration. */
export async function startNginx(test, hub, words) {
  const folder = await directory(test)
  const [port, certificate] = [await freePort(), await makeCertificate(folder)]
  const file = await writeNginx(folder, port, hub, certificate, words)
  await start(test, port, NGINX, ['-p', folder, '-c', file])
  return { origin: `https://127.0.0.1:${port}`, port, ca: certificate.ca, folder }
}

/** Starts nginx with nothing but the address of the hub. */
export async function startBareNginx(test, hub) {
  const folder = await directory(test)
  const port = await freePort()
  const server = `server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://${hub}; proxy_set_header Host $host; }
  }`
  const file = join(folder, 'nginx.conf')
  await writeFile(file, aroundNginx(folder, server))
  await start(test, port, NGINX, ['-p', folder, '-c', file])
  return { origin: `http://127.0.0.1:${port}`, port }
}

/** Writes our configuration of HAProxy. */
export async function writeHaproxy(folder, port, hub, both, words = []) {
  const file = join(folder, 'haproxy.cfg')
  const text = replaced(await deployed('haproxy.cfg'), [
    ['127.0.0.1:7878', hub],
    ['bind :443', `bind 127.0.0.1:${port}`],
    [`/etc/haproxy/certs/${HOST}.pem`, both],
    ['log /dev/log local0', 'log stderr format raw local0'],
    // As many descriptors as that a test may not have.
    ['maxconn 60000', 'maxconn 1000'],
    ...words,
  ])
  await writeFile(file, text)
  return file
}

/** Starts HAProxy by our configuration. `reload` has another process take its place. */
export async function startHaproxy(test, hub, words) {
  const folder = await directory(test)
  const [port, certificate] = [await freePort(), await makeCertificate(folder)]
  const file = await writeHaproxy(folder, port, hub, certificate.both, words)
  const master = await start(test, port, HAPROXY, ['-W', '-f', file], 'Loading success')
  return {
    origin: `https://127.0.0.1:${port}`,
    port,
    ca: certificate.ca,
    reload: () => master.kill('SIGUSR2'),
  }
}
