import { readFileSync } from 'node:fs'
import { test } from 'tap'
import { parse } from 'yaml'
import { definitionsFolder, words } from '../helpers/definitions-folder.ts'
import { runCommand } from '../helpers/service-process.ts'

interface Document {
  readonly paths: Readonly<Record<string, object>>
}

test('openapi prints the document of the built-in aggregates, whatever the environment says of upstreams', async t => {
  const { code, output, errors } = await runCommand(t, ['openapi'], { HEADWATERS_UPSTREAM_NOBODY_OFF: '1' })
  t.equal(code, 0)
  t.equal(errors, '')
  t.match(Object.keys((parse(output) as Document).paths), ['/v1/cat-facts'])
})

test('--json prints the same as JSON, and --out writes it to a file', async t => {
  const folder = t.testdir()
  const [yaml, asJson, written] = await Promise.all([
    runCommand(t, ['openapi']),
    runCommand(t, ['openapi', '--json']),
    runCommand(t, ['openapi', '--out', `${folder}/openapi.yaml`]),
  ])
  t.same(JSON.parse(asJson.output), parse(yaml.output))
  t.equal(written.output, '')
  t.equal(readFileSync(`${folder}/openapi.yaml`, 'utf8'), yaml.output)
})

test('the document can be that of definitions', async t => {
  const { path } = definitionsFolder(t, { 'words.ts': words('http://127.0.0.1:9') })
  const { code, output } = await runCommand(t, ['openapi', path, '--json'])
  t.equal(code, 0)
  const paths = Object.keys((JSON.parse(output) as Document).paths)
  t.ok(paths.includes('/words'))
  t.notOk(paths.includes('/v1/cat-facts'))
})

test('a file that cannot be written ends with 1, and the error names the option, the file and the reason', async t => {
  const { code, errors } = await runCommand(t, ['openapi', '--out', '/nowhere/at/all.yaml'])
  t.equal(code, 1)
  t.match(errors, /^headwaters: --out: cannot write '\/nowhere\/at\/all\.yaml': ENOENT/)
  t.notMatch(errors, /\bat .*:\d+:\d+/, 'without a stack')
})

test('the document follows the variable SOURCES, and another value ends with 2', async t => {
  const { output } = await runCommand(t, ['openapi', '--json'], { SOURCES: 'none' })
  t.notMatch(output, /sources`|"sources":|server-timing|cache-status|some-upstream/)
  t.notMatch(output, /Steps:|meow\b/)
  const { code, errors } = await runCommand(t, ['openapi'], { SOURCES: 'some' })
  t.equal(code, 2)
  t.match(errors, "SOURCES: sources must be 'full', 'states' or 'none', got 'some'")
})
