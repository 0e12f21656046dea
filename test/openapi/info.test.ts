import { join } from 'node:path'
import { test } from 'tap'
import { parse } from 'yaml'
import { z } from 'zod'
import { buildApp } from '../../src/app.ts'
import { ConfigError, readConfig } from '../../src/config.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { definitionsFolder, words } from '../helpers/definitions-folder.ts'
import { serveApp } from '../helpers/served-app.ts'
import { runCommand, startService } from '../helpers/service-process.ts'

interface Document {
  readonly info: Readonly<Record<string, unknown>>
}

const one = aggregate('one', { url: '/one' }).reply(z.null(), () => null)

const full = {
  title: 'Cats',
  version: '1.2.0',
  summary: 'Cats, all of them.',
  description: 'What is known of cats.',
  termsOfService: 'https://cats.example/terms',
  contact: { name: 'A cat', url: 'https://cats.example', email: 'cat@cats.example' },
  license: { name: 'Apache 2.0', identifier: 'Apache-2.0' },
}

/** What is wrong, and the words of the fault. */
const faults: readonly (readonly [info: unknown, words: string])[] = [
  ['Cats', 'info must be an object'],
  [{ name: 'Cats' }, "info has no field 'name': use title, version, summary, description, termsOfService, contact"],
  [{ title: '' }, 'info.title must not be empty'],
  [{ title: ' ' }, 'info.title must not be empty'],
  [{ version: 1 }, 'info.version must be a string'],
  [{ termsOfService: 'terms' }, 'info.termsOfService must be a URL'],
  [{ contact: 'cat@cats.example' }, 'info.contact must be an object'],
  [{ contact: { mail: 'a' } }, "info.contact has no field 'mail': use name, url, email"],
  [{ contact: { email: 'cat' } }, 'info.contact.email must be an email address'],
  [{ contact: { url: 'cats' } }, 'info.contact.url must be a URL'],
  [{ license: {} }, 'info.license.name is missing'],
  [{ license: { name: 'MIT', spdx: 'MIT' } }, "info.license has no field 'spdx': use name, identifier, url"],
  [{ license: { name: 'MIT', identifier: 'MIT', url: 'https://mit.example' } }, 'identifier or url, not both'],
  [{ title: '', version: 2 }, 'info.title must not be empty; info.version must be a string'],
]

test('the document has the info of the app, and the neutral title without one', async t => {
  const infoOf = async (info: typeof full | undefined) => {
    const { get, origin } = await serveApp(t, { aggregates: [one], info })
    const json = (await get<Document>('/openapi.json')).body.info
    t.same((parse(await (await fetch(`${origin}/openapi.yaml`)).text()) as Document).info, json)
    return json
  }
  t.same(await infoOf(full), full)
  const { description, ...others } = await infoOf(undefined)
  t.same(others, { title: 'Aggregates', version: '0.0.0' })
  t.match(description, 'A reply says whether it is `complete`')
})

test('an info that is not valid is refused when the app is built', async t => {
  for (const [info, words] of faults) {
    t.throws(() => buildApp([one], { info: info as object }), { name: 'TypeError', message: /^app: info/ })
    t.throws(() => buildApp([one], { info: info as object }), { message: words })
  }
})

test('OPENAPI_INFO is JSON or a file, and its faults are faults of the configuration', async t => {
  const folder = t.testdir({ 'info.json': JSON.stringify(full), 'bad.json': '{', 'odd.json': '{ "name": "Cats" }' })
  const read = (text: string) => readConfig({ OPENAPI_INFO: text }, []).info
  t.same(read(JSON.stringify(full)), full)
  t.same(read(`@${join(folder, 'info.json')}`), full)
  t.equal(read(''), undefined)
  t.equal(read(' '), undefined)
  for (const [info, words] of faults) {
    const config = () => read(JSON.stringify(info))
    t.throws(config, { name: 'ConfigError', message: /^OPENAPI_INFO: info/ })
    t.throws(config, { message: words })
  }
  for (const [text, words] of [
    ['Cats', 'OPENAPI_INFO: the text cannot be read as JSON: '],
    ['@', "OPENAPI_INFO: the file '' cannot be read: ENOENT"],
    [`@${folder}/nowhere.json`, `OPENAPI_INFO: the file '${folder}/nowhere.json' cannot be read: ENOENT`],
    [`@${folder}/bad.json`, `OPENAPI_INFO: the file '${folder}/bad.json' cannot be read as JSON: `],
    [`@${folder}/odd.json`, "OPENAPI_INFO: info has no field 'name'"],
  ] as const)
    t.throws(() => read(text), { message: words })
  t.throws(() => read('Cats'), ConfigError)
})

const infoIn = (output: string) => (JSON.parse(output) as Document).info

test('the document of definitions has the name and the version of their package', async t => {
  const { path } = definitionsFolder(t, {
    'package.json': '{ "name": "cats", "version": "3.1.4", "license": "GPL-3.0-only" }',
    'deep/er/words.ts': words('http://127.0.0.1:9'),
    'bare/package.json': '{}',
    'bare/words.ts': words('http://127.0.0.1:9'),
    'odd/package.json': '{ "name": " ", "version": 1 }',
    'odd/words.ts': words('http://127.0.0.1:9'),
    'broken/package.json': '{',
    'broken/in/package.json': '{ "name": "within" }',
    'broken/in/words.ts': words('http://127.0.0.1:9'),
  })
  for (const [of, title, version] of [
    ['deep', 'cats', '3.1.4'],
    ['deep/er/words.ts', 'cats', '3.1.4'],
    ['bare', 'Aggregates', '0.0.0'],
    ['odd/words.ts', 'Aggregates', '0.0.0'],
    ['broken', 'Aggregates', '0.0.0'],
  ] as const) {
    const { output } = await runCommand(t, ['openapi', join(path, of), '--json'])
    const { description: _, ...others } = infoIn(output)
    t.same(others, { title, version }, `${of}: no licence either`)
  }
})

test('openapi takes the info as an option and of the environment, the option first', async t => {
  const { path } = definitionsFolder(t, { 'words.ts': words('http://127.0.0.1:9'), 'info.json': JSON.stringify(full) })
  const print = (args: readonly string[], environment = {}) =>
    runCommand(t, ['openapi', path, '--json', ...args], environment)
  t.same(infoIn((await print(['--info', JSON.stringify(full)])).output), full)
  t.same(infoIn((await print(['--info', `@${path}/info.json`])).output), full)
  const environment = { OPENAPI_INFO: '{ "title": "Other", "summary": "Some." }' }
  t.match(infoIn((await print([], environment)).output), { title: 'Other', version: '0.0.0', summary: 'Some.' })
  t.same(infoIn((await print(['--info', JSON.stringify(full)], environment)).output), full)
  t.match(infoIn((await runCommand(t, ['openapi', '--json'], environment)).output), {
    title: 'Other',
    license: { name: 'MIT' },
  })

  for (const [args, environmentOf, words] of [
    [['--info', '{ "name": "a" }'], {}, "--info: info has no field 'name'"],
    [['--info', '@nowhere.json'], {}, "--info: the file 'nowhere.json' cannot be read: ENOENT"],
    [[], { OPENAPI_INFO: '{' }, 'OPENAPI_INFO: the text cannot be read as JSON'],
  ] as const) {
    const { code, errors } = await print(args, environmentOf)
    t.equal(code, 2)
    t.match(errors, words)
    t.notMatch(errors, /\n +at /, 'without a stack')
  }
})

test('a service of definitions serves their info', async t => {
  const { path } = definitionsFolder(t, {
    'package.json': '{ "name": "cats", "version": "3.1.4" }',
    'words.ts': words('http://127.0.0.1:9'),
  })
  for (const [environment, title] of [
    [{}, 'cats'],
    [{ OPENAPI_INFO: '{ "title": "Cats" }' }, 'Cats'],
  ] as const) {
    const { origin } = await startService(t, environment, ['serve', path])
    const { info } = (await (await fetch(`${origin}/openapi.json`)).json()) as Document
    t.match(info, { title, version: '3.1.4' })
    t.equal(info['license'], undefined)
  }
  const { code, errors } = await runCommand(t, ['serve', path], { OPENAPI_INFO: '{}', PORT: 'x' })
  t.equal(code, 2)
  t.match(errors, 'PORT')
})
