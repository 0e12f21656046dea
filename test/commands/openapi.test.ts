import { readFileSync } from 'node:fs'
import { test } from 'tap'
import { parse } from 'yaml'
import { slowDouble } from '../helpers/bulk-definitions.ts'
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

test('the document has the version of --spec, and another version ends with 2', async t => {
  const { output } = await runCommand(t, ['openapi', '--json', '--spec', '3.2'])
  t.match(JSON.parse(output), { openapi: '3.2.0', paths: { '/v1/batch': { query: Object } } })
  const { code, errors } = await runCommand(t, ['openapi', '--spec', '3.0'])
  t.equal(code, 2)
  t.match(errors, '--spec: the version of OpenAPI must be 3.1 or 3.2, got 3.0')
})

test('the document follows the limits of batches, and a wrong limit ends with 2', async t => {
  const { output } = await runCommand(t, ['openapi', '--json'], { BATCH_MAX_CALLS: '7', BATCH_DEADLINE_MS: '900' })
  t.match(output, '"maxItems": 7')
  t.match(JSON.parse(output), { paths: { '/v1/batch': { post: { description: /Deadline: 900 ms/ } } } })
  const off = await runCommand(t, ['openapi', '--json'], { BATCH_MAX_CALLS: '0' })
  t.notMatch(off.output, '/v1/batch')
  const { code, errors } = await runCommand(t, ['openapi'], { BATCH_MAX_CALLS: 'many' })
  t.equal(code, 2)
  t.match(errors, 'BATCH_MAX_CALLS')
})

test('the document follows the variable SOURCES, and another value ends with 2', async t => {
  const { output } = await runCommand(t, ['openapi', '--json'], { SOURCES: 'none' })
  t.notMatch(output, /sources`|"sources":|server-timing|cache-status|some-upstream/)
  t.notMatch(output, /Steps:|meow\b/)
  const { code, errors } = await runCommand(t, ['openapi'], { SOURCES: 'some' })
  t.equal(code, 2)
  t.match(errors, "SOURCES: sources must be 'full', 'states' or 'none', got 'some'")
})

test('the paths of bulk runs follow from the aggregates, with and without the folder of the runs', async t => {
  const { path } = definitionsFolder(t, { 'double.ts': slowDouble, 'plain.ts': words('http://127.0.0.1:9') })
  const [without, given, plain] = await Promise.all([
    runCommand(t, ['openapi', path, '--json']),
    runCommand(t, ['openapi', path, '--json'], { HEADWATERS_BULK_DIR: `${path}/bulk` }),
    runCommand(t, ['openapi', `${path}/plain.ts`, '--json'], { HEADWATERS_BULK_DIR: `${path}/bulk` }),
  ])
  t.equal(without.output, given.output)
  const bulkPaths = (output: string) =>
    Object.keys((JSON.parse(output) as Document).paths).filter(each => each.startsWith('/v1/bulk'))
  t.equal(bulkPaths(given.output).length, 7)
  t.same(bulkPaths(plain.output), [])
})
