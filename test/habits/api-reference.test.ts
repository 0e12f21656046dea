import { execFile, type ExecFileException } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { t, test } from 'tap'
import { examplesOf, gapsOf, type Reflection } from '../../tools/api-reference/gaps.ts'
import { childEnvironment } from '../helpers/child-environment.ts'

t.setTimeout(300_000)

const root = join(import.meta.dirname, '../..')
const folder = t.testdir({ examples: {} })
const out = join(folder, 'html')
const json = join(folder, 'reference.json')

// What TypeDoc does for `npm run docs:api`, and the JSON of the same names with the files in which they are declared.
const workspace = createRequire(join(root, 'node_modules/headwaters-api-reference/package.json'))
const typedoc = join(dirname(workspace.resolve('typedoc/package.json')), 'bin/typedoc')
const options = {
  options: join(root, 'tools/api-reference/typedoc.json'),
  out,
  json,
  disableSources: 'false',
  disableGit: 'true',
  sourceLinkTemplate: '{path}',
}
const built = await promisify(execFile)(
  process.execPath,
  [typedoc, ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])],
  { env: { ...childEnvironment, NO_COLOR: '1' } },
).then(
  ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
  ({ code, stdout, stderr }: ExecFileException) => ({ code, output: `${stdout}${stderr}` }),
)

test('the API reference is built without a warning', async t => {
  t.equal(built.code, 0, { output: built.output })
  t.notMatch(built.output, /warning/i)
  for (const page of ['index.html', 'functions/headwaters.aggregate.html', 'interfaces/headwaters.Builder.html'])
    t.ok(existsSync(join(out, page)), page)
})

test('the API reference reads every entry point of the package', async t => {
  const packageJson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    exports: Record<string, { types: string } | string>
  }
  const { entryPoints } = JSON.parse(readFileSync(options.options, 'utf8')) as { entryPoints: string[] }
  const exported = Object.values(packageJson.exports).flatMap(target =>
    typeof target === 'object' ? [target.types.replace('./dist/', '../../src/').replace(/\.d\.ts$/, '.ts')] : [],
  )
  t.ok(exported.length > 0)
  t.same(
    exported.filter(file => !entryPoints.includes(file)),
    [],
  )
})

test('every exported name has the docstring that the reference needs', async t => {
  const gaps = gapsOf(JSON.parse(readFileSync(json, 'utf8')) as Reflection)
  t.same(
    gaps.map(({ file, gap }) => `${file}: ${gap}`),
    [],
  )
})

test('the examples of the docstrings are typed as they say', async t => {
  const examples = examplesOf(JSON.parse(readFileSync(json, 'utf8')) as Reflection)
  t.ok(examples.length > 5, `${examples.length} examples`)
  const dir = join(folder, 'examples')
  for (const [index, code] of examples.entries()) writeFileSync(join(dir, `${index}.ts`), code)
  const paths = {
    headwaters: 'index.ts',
    'headwaters/app': 'app.ts',
    'headwaters/testing': 'testing/index.ts',
    'headwaters/client': 'client/index.ts',
    'headwaters/redis': 'redis/index.ts',
  }
  writeFileSync(
    join(dir, 'tsconfig.json'),
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: {
        paths: Object.fromEntries(Object.entries(paths).map(([name, file]) => [name, [join(root, 'src', file)]])),
      },
      include: ['*.ts'],
    }),
  )
  const compiler = join(root, 'node_modules/typescript/lib/tsc.js')
  const { stdout } = await promisify(execFile)(process.execPath, [compiler, '-p', dir], {
    env: childEnvironment,
  }).catch((error: { stdout: string }) => error)
  t.same(
    stdout.split('\n').filter(line => line.includes('/examples/')),
    [],
  )
})

const sentence = { summary: [{ text: 'Does it.' }] }
const tag = (name: string, text: string) => ({ tag: name, content: [{ text }] })
const one = (declared: object) =>
  gapsOf({ name: '', kind: 1, children: [{ name: 'headwaters', kind: 2, children: [declared as Reflection] }] }).map(
    ({ gap }) => gap,
  )

test('a function lacks what its docstring does not have', async t => {
  const parameters = [{ name: 'input', kind: 32768 }]
  const bare = { name: 'run', kind: 64, signatures: [{ name: 'run', kind: 4096, parameters, type: { type: 'array' } }] }
  t.same(one(bare), ['run: a sentence', 'run: @param input', 'run: @returns', 'run: @throws', 'run: @example'])
  const whole = (throws: string) => ({
    ...bare,
    signatures: [
      {
        ...bare.signatures[0],
        parameters: [{ ...parameters[0], comment: sentence }],
        comment: {
          ...sentence,
          blockTags: [tag('@returns', 'it'), tag('@throws', throws), tag('@example', 'run(1)')],
        },
      },
    ],
  })
  t.same(one(whole('`CALL_INPUT_INVALID` for a wrong input')), [])
  t.same(one(whole('TypeError for a wrong input')), [])
  t.same(one(whole('sometimes')), ['run: @throws with a code or a class'])
})

test('a function without a value needs no @returns, and neither does a promise of none', async t => {
  const returning = (type: object) =>
    one({ name: 'run', kind: 64, signatures: [{ name: 'run', kind: 4096, comment: sentence, type }] })
  for (const type of [
    { type: 'intrinsic', name: 'void' },
    { type: 'reference', name: 'Promise', typeArguments: [{ type: 'intrinsic', name: 'void' }] },
  ])
    t.same(returning(type), ['run: @throws', 'run: @example'])
  t.ok(returning({ type: 'intrinsic', name: 'string' }).includes('run: @returns'))
})

test('an option that may be left out needs its default, and a member of another interface does not', async t => {
  const members = [
    { name: 'limit', kind: 1024, flags: { isOptional: true }, comment: sentence },
    { name: 'name', kind: 1024, comment: sentence },
    { name: 'inherited', kind: 1024, flags: { isOptional: true }, inheritedFrom: {} },
  ]
  t.same(one({ name: 'RunOptions', kind: 256, comment: sentence, children: members }), ['RunOptions.limit: @default'])
  t.same(one({ name: 'Outcome', kind: 256, comment: sentence, children: members }), [])
})

test('a numeric parameter needs its unit', async t => {
  const returns = { tag: '@returns', content: [{ text: 'it' }] }
  const withText = (text: string) =>
    one({
      name: 'CacheStore',
      kind: 256,
      comment: { ...sentence, blockTags: [tag('@example', 'x')] },
      children: [
        {
          name: 'get',
          kind: 2048,
          signatures: [
            {
              name: 'get',
              kind: 4096,
              comment: { ...sentence, blockTags: [returns] },
              type: { type: 'array' },
              parameters: [
                {
                  name: 'age',
                  kind: 32768,
                  type: { type: 'intrinsic', name: 'number' },
                  comment: { summary: [{ text }] },
                },
              ],
            },
          ],
        },
      ],
    })
  t.same(withText('The age.'), ['CacheStore.get: @param age with a unit'])
  t.same(withText('The age, in ms.'), [])
  t.same(withText('The number of answers.'), [])
})

test('a method that declares a part of an aggregate needs an example', async t => {
  const method = {
    name: 'onReply',
    kind: 2048,
    signatures: [{ name: 'onReply', kind: 4096, comment: sentence, type: { type: 'intrinsic', name: 'void' } }],
  }
  t.same(one({ name: 'Replied', kind: 256, comment: sentence, children: [method] }), [
    'Replied.onReply: @throws',
    'Replied.onReply: @example',
  ])
})
