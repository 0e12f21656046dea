import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { test, type Test } from 'tap'
import { scriptedUpstream } from '../../src/testing/index.ts'
import { docBlocks } from '../helpers/doc-blocks.ts'

const sources: Readonly<Record<string, string>> = { headwaters: 'index.ts', 'headwaters/testing': 'testing/index.ts' }

/** Writes the programs of a page where they run against the sources, and gives what runs one of them. */
async function write (t: Test, page: string) {
  await mkdir(join(import.meta.dirname, '../../.tap'), { recursive: true })
  const folder = await mkdtemp(join(import.meta.dirname, '../../.tap/docs-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const blocks = docBlocks(page)
  for (const [name, code] of Object.entries(blocks)) {
    await writeFile(join(folder, name), code.replaceAll(/from '(headwaters[^']*)'/g, (_, entry: string) => `from '${new URL(`../../src/${sources[entry]}`, import.meta.url).href}'`))
  }
  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    promisify(execFile)(process.execPath, args, { cwd: folder, env: { PATH: process.env['PATH'] ?? '', ...env } })
  return { names: Object.keys(blocks), run }
}

test('the program without a server says what it was told', async t => {
  const { run } = await write(t, 'embedding')
  const upstream = await scriptedUpstream()
  t.teardown(() => upstream.close())
  upstream.answer('/?count=2', { data: ['They purr.', 'They nap.'] }).status('/', 500)
  const told = await run(['fan-out.ts'], { MEOWFACTS: upstream.origin })
  t.equal(told.stdout, 'They purr.\nThey nap.\ntrue ok\n')
  t.equal(told.stderr, '')
  const failed = await run(['fan-out.ts'], { MEOWFACTS: upstream.origin })
  t.match(failed.stderr, /^UPSTREAM_STATUS .*meowfacts/)
})

test('the app of the docs serves its aggregate and its own route', async t => {
  const { run } = await write(t, 'embedding')
  const { stdout } = await run(['--input-type=module', '--eval', `
    import { app } from './plugin.ts'
    const got = [await app.inject('/hello'), await app.inject({ method: 'DELETE', url: '/api/fact' })]
    console.log(got.map(({ statusCode }) => statusCode).join(' '))
    await app.close()`])
  t.equal(stdout, '200 405\n')
})

test('the tests of the docs pass', async t => {
  const { names, run } = await write(t, 'testing')
  const { stdout } = await run(['--test', '--test-reporter=tap', ...names])
  t.match(stdout, /^# tests 3$/m)
  t.match(stdout, /^# pass 3$/m)
})
