import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { definitionsFolder, words } from '../helpers/definitions-folder.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { runCommand, startService } from '../helpers/service-process.ts'

test('--version is that of the package', async t => {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
    version: string
  }
  const { code, output } = await runCommand(t, ['--version'])
  t.same([code, output], [0, `${version}\n`])
})

test('each command has its help, and the exit codes are in it', async t => {
  for (const command of ['serve', 'run', 'batch', 'openapi', 'check']) {
    const { code, output, errors } = await runCommand(t, [command, '--help'])
    t.same([code, errors], [0, ''])
    t.match(output, `\nUsage: headwaters ${command} `)
    t.match(output, 'Exit codes: 0 ')
    t.ok(Math.max(...output.split('\n').map(line => line.length)) <= 125)
  }
})

test('an unknown command, and options without a command, get a suggestion', async t => {
  const { path } = definitionsFolder(t, {})
  for (const [args, said] of [
    [['sevre'], "unknown command 'sevre': did you mean 'serve'?"],
    [['open-api'], "unknown command 'open-api': did you mean 'openapi'?"],
    [
      ['weather'],
      "unknown command 'weather': use serve, run, explain, batch, bulk, openapi, check, load, init, completion",
    ],
    [[path], `unknown command '${path}': did you mean 'headwaters serve ${path}'?`],
    [['serve', '--lvie'], "unknown option '--lvie': did you mean '--live'?"],
    [['serve', '--watch'], '--watch needs files or folders'],
  ] as const) {
    const { code, errors } = await runCommand(t, args)
    t.equal(code, 2)
    t.match(errors.split('\n')[0], said)
  }
})

test('definitions of a file and of a folder are served, and their upstreams called where they are declared', async t => {
  const upstream = await rawUpstream(t, json({ word: 'cat' }))
  const { path } = definitionsFolder(t, {
    'folder/one.ts': words(upstream.origin, { name: 'one', before: '1 ' }),
    'folder/shapes.ts': 'export const nothing = 1',
    'two.mjs': words(upstream.origin, { name: 'two', before: '2 ' }).replace(': unknown', ''),
  })
  const { origin, said } = await startService(t, {}, ['serve', join(path, 'folder'), join(path, 'two.mjs')])
  t.match(await said('serving'), { upstreams: 'as declared', aggregates: ['GET /one (one)', 'GET /two (two)'] })
  for (const [name, word] of [
    ['one', '1 cat'],
    ['two', '2 cat'],
  ]) {
    const response = await fetch(`${origin}/${name}`)
    t.equal(response.status, 200)
    t.match(await response.json(), { data: { word }, complete: true })
  }
  t.equal((await fetch(`${origin}/v1/cat-facts`)).status, 404, 'the built-in ones are not served beside them')
})

test('definitions that cannot be served are refused before anything listens', async t => {
  const { path } = definitionsFolder(t, {
    'health.ts': words('http://127.0.0.1:9', { name: 'health', url: '/health/live' }),
  })
  for (const args of [
    ['serve', path],
    ['serve', path, '--watch'],
  ]) {
    const { code, output, errors } = await runCommand(t, args, { PORT: '0' })
    t.equal(code, 2)
    t.equal(output, '')
    t.match(errors, /^headwaters: invalid definitions\n.*\/health\/live/)
  }
})

test('a folder of this checkout can be served, with the upstreams it shares with us', async t => {
  const upstream = await rawUpstream(t, json({ data: ['Cats meow.'] }))
  const { origin, said } = await startService(
    t,
    {
      HEADWATERS_UPSTREAM_MEOWFACTS_ORIGIN: upstream.origin,
      HEADWATERS_UPSTREAM_CATFACT_NINJA_OFF: '1',
      HEADWATERS_UPSTREAM_THE_CAT_API_OFF: '1',
    },
    ['serve', 'src/routes'],
  )
  t.match(await said('serving'), { upstreams: 'as declared' })
  t.match(await (await fetch(`${origin}/v1/cat-facts?count=1`)).json(), { code: 'UPSTREAM_OFF' })
})
