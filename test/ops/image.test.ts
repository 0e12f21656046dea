import { once } from 'node:events'
import { existsSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { t as suite, test } from 'tap'
import { quietPort } from '../helpers/quiet-port.ts'
import { readText } from '../helpers/ops-files.ts'
import { serveHttp } from '../helpers/serve-http.ts'
import { buildahMissing, buildServiceImage, openImages } from './helpers/buildah.ts'
import { runInContainer, startContainer } from './helpers/container.ts'

suite.setTimeout(300_000)

const skip = buildahMissing
const root = join(import.meta.dirname, '../..')

test('the Node.js of the Dockerfile is the one with which the project is tested', async t => {
  const { version } = JSON.parse(readText('tools/node/package.json')) as { readonly version: string }
  t.equal(/^ARG NODE_IMAGE=\S+\/node:([\d.]+)-/m.exec(readText('Dockerfile'))?.[1], version)
})

test('each instruction of the Dockerfile copies files that .dockerignore lets through', async t => {
  const copied = [...readText('Dockerfile').matchAll(/^COPY (?!--from)(.+)$/gm)].flatMap(([, words = '']) =>
    words.split(' ').slice(0, -1),
  )
  const allowed = readText('.dockerignore')
    .split('\n')
    .filter(line => line.startsWith('!'))
    .map(line => line.slice(1))
  t.ok(copied.length > 8)
  for (const path of copied) {
    t.ok(existsSync(join(root, path)), path)
    t.ok(
      allowed.some(each => new RegExp(`^${each.replace('*', '.*')}(?:/|$)`).test(path)),
      path,
    )
  }
})

/** The definitions of the page, with an upstream whose address a variable replaces. */
const definitions = `
import { aggregate, defineUpstream, operation } from 'headwaters'
import { z } from 'zod'
const Fact = z.object({ fact: z.string() })
const cats = defineUpstream('cats', { origin: 'http://cats.example' }, {
  fact: operation({ path: '/fact', output: Fact }),
})
export const fact = aggregate('fact', { url: '/fact', deadline: 5000 })
  .required('fact', () => cats.fact())
  .reply(Fact, ({ fact }) => fact)
`

test('the image serves definitions as a user without rights on a read-only root', { skip }, async t => {
  const images = openImages(t)
  await buildServiceImage(t, images)
  const files = t.testdir({ aggregates: { 'fact.ts': definitions } })
  await images.build('with-definitions', files, ['--file', join(root, 'ops/image/definitions.Dockerfile')])
  const { config, healthCheck } = await images.inspect('with-definitions')
  const rootFolder = await images.mount('with-definitions')
  const { Entrypoint: entryPoint } = config

  await t.test('the image has a numeric user, and no shell, tools of the build, sources or maps', async t => {
    t.match(config.User, /^[1-9]\d*:[1-9]\d*$/)
    for (const path of ['bin/sh', 'usr/local/bin/npm', 'app/node_modules/typescript', 'app/src', 'app/dist/cli.js.map'])
      t.notOk(existsSync(join(rootFolder, path)), path)
    for (const name of ['fastify', 'zod', 'ioredis', '@opentelemetry/sdk-trace'])
      t.ok(existsSync(join(rootFolder, 'app/node_modules', name)), name)
    t.equal(statSync(join(rootFolder, 'app/dist/cli.js')).uid, 0, 'the user of the service cannot change the code')
  })

  await t.test('a container with an empty mount ends with the fault and exit code 2', async t => {
    const options = { rootFolder, config, definitions: t.testdir({}) }
    const { code, output } = await runInContainer(options, [...entryPoint, ...config.Cmd])
    t.equal(code, 2)
    t.match(output, /no module in it exports an aggregate/)
  })

  await t.test('a mounted folder replaces the layer, with links as Kubernetes makes them for a ConfigMap', async t => {
    const mounted = t.testdir({ '..2026_12_01': { 'fact.ts': definitions.replaceAll('/fact', '/mounted') } })
    symlinkSync('..2026_12_01', join(mounted, '..data'))
    symlinkSync('..data/fact.ts', join(mounted, 'fact.ts'))
    const options = { rootFolder, config, definitions: mounted }
    t.match(await runInContainer(options, [...entryPoint, 'check', '/definitions']), { code: 0, output: /\/mounted/ })
  })

  await t.test('a container is healthy, answers, and finishes the request in flight after SIGTERM', async t => {
    const upstream = createServer()
    const PORT = String(await quietPort())
    const variables = { HEADWATERS_UPSTREAM_CATS_ORIGIN: await serveHttp(t, upstream), HOST: '127.0.0.1', PORT }
    const options = { rootFolder, config, environment: variables }
    t.match(await runInContainer(options, healthCheck), { code: 1, output: /ECONNREFUSED/ }, 'before the start')
    const container = startContainer(t, options)
    await container.said('Server listening at')
    t.match(await runInContainer(options, healthCheck), { code: 0, output: /"status":"ready"/ })
    const status = readFileSync(`/proc/${container.pid}/status`, 'utf8')
    t.match(status, /^Uid:\t65532\t65532\t65532\t65532$/m)
    t.match(status, /^CapEff:\t0+$/m)
    t.match(status, /^NoNewPrivs:\t1$/m)
    t.match(readFileSync(`/proc/${container.pid}/mountinfo`, 'utf8'), / \/ ro[, ]/, 'the root is read-only')

    const received = once(upstream, 'request')
    const reply = fetch(`http://127.0.0.1:${PORT}/fact`).then(response => response.json())
    const [, response] = (await received) as [unknown, ServerResponse]
    container.child.kill('SIGTERM')
    await container.said('draining')
    response.setHeader('content-type', 'application/json').end('{"fact":"They purr."}')
    t.match(await reply, { data: { fact: 'They purr.' }, complete: true })
    t.same(await container.ended, [0, null])
  })
})
