import { readFileSync, readdirSync } from 'node:fs'
import { inspect } from 'node:util'
import { test } from 'tap'
import { z } from 'zod'
import { Environment } from '../src/config/environment.ts'
import { errors } from '../src/errors.ts'
import { transitions } from '../src/upstream/origins/origin-states.ts'
import { upstreamSpec } from '../src/upstream/spec/check-upstream.ts'
import { tableRows } from './helpers/doc-tables.ts'
import { readJsonBody } from './helpers/read-json-body.ts'

const page = (name: string) => readFileSync(new URL(`../docs/${name}.md`, import.meta.url), 'utf8')

test('the table of errors in the docs is the table in the code', async t => {
  const inCode = Object.entries(errors).map(([code, { status, title, text, verdict, retryable }]) => [
    code,
    String(status),
    title,
    text,
    verdict,
    retryable ? 'yes' : 'no',
  ])
  t.strictSame(tableRows(page('errors')), inCode)
})

test('the diagram of the architecture names every error of the table', t => {
  const [, diagram = ''] = page('architecture').split('```')
  const named = new Set(diagram.match(/\b[A-Z][A-Z_]+\b/g)?.filter(word => word !== 'HTTP'))
  t.strictSame([...named].sort(), Object.keys(errors).sort())
  t.end()
})

/** Returns a default as the docs write it. Without a default the cell is empty. */
const textOf = (value: unknown) => (value === undefined ? '' : `${value as string | number | boolean}`)

test('the docs list every variable of the environment with its default', async t => {
  const inDocs = tableRows(page('options')).filter(([variable = '']) => variable in Environment.shape)
  const defaults: Readonly<Record<string, unknown>> = Environment.parse({})
  t.strictSame(
    inDocs.map(([variable, value]) => [variable, value]),
    Object.keys(Environment.shape).map(variable => [variable, textOf(defaults[variable])]),
  )
})

/** A part of a page, from a heading to the next one of the same level. */
function section(name: string, heading: string): string {
  const [, part = ''] = page(name).split(`\n## ${heading}\n`)
  return part.split('\n## ')[0] as string
}

/** The names in the first column of tables; a cell may have several. */
function names(text: string): string[] {
  return tableRows(text).flatMap(([cell = '']) => cell.split(', '))
}

const src = new URL('../src/', import.meta.url)
const source = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter(file => file.endsWith('.ts'))
  .map(file => readFileSync(new URL(file.replaceAll('\\', '/'), src), 'utf8'))
  .join('\n')

/** The options that an interface of the sources declares. */
function optionsOf(name: string): string[] {
  const [, body = ''] = new RegExp(`^(?:export )?interface ${name}\\b[^{]*\\{\\n([^]*?)^\\}`, 'm').exec(source) ?? []
  return Array.from(body.matchAll(/^ {2}readonly (\w+)/gm), ([, option]) => option as string)
}

for (const [name, of, heading, count] of [
  ['AppOptions', 'embedding', 'The whole service', 4],
  ['StreamOptions', 'embedding', 'Streams and batches', 3],
  ['BatchOptions', 'embedding', 'Streams and batches', 5],
  ['BulkLimits', 'embedding', 'Bulk runs', 6],
  ['BulkFolder', 'embedding', 'Bulk runs', 2],
  ['BulkObjectStore', 'embedding', 'Bulk runs', 2],
  ['StreamRequest', 'streaming', 'The client', 7],
  ['HeadwatersOptions', 'embedding', 'In your Fastify app', 4],
  ['UpstreamOptions', 'options', '`defineUpstream(name, options, operations)`', 4],
  ['AccessOptions', 'options', '`defineUpstream(name, options, operations)`', 4],
  ['OperationOptions', 'options', '`operation(options)`', 4],
  ['RetryOptions', 'options', 'Policies of an upstream', 3],
  ['HedgeOptions', 'options', 'Policies of an upstream', 3],
  ['RetryBudgetOptions', 'options', 'Policies of an upstream', 2],
  ['BreakerOptions', 'options', 'Policies of an upstream', 6],
  ['OriginOptions', 'options', 'Policies of an upstream', 4],
  ['BalanceOptions', 'options', 'Policies of an upstream', 4],
  ['EjectionOptions', 'options', 'Policies of an upstream', 5],
  ['HealthCheckOptions', 'options', 'Policies of an upstream', 5],
  ['OAuth2Options', 'options', 'Credentials and certificates of an upstream', 7],
  ['TlsOptions', 'options', 'Credentials and certificates of an upstream', 4],
  ['CacheOptions', 'options', '`operation(options)`', 4],
  ['KeyBatchOptions', 'options', '`operation(options)`', 3],
  ['RouteOptions', 'options', '`aggregate(name, options)`', 7],
  ['RefuseOptions', 'options', '`aggregate(name, options)`', 6],
  ['RuntimeOptions', 'options', '`createRuntime(options)` and `fanOut(aggregate, input, options)`', 4],
  ['FanOutOptions', 'options', '`createRuntime(options)` and `fanOut(aggregate, input, options)`', 2],
  ['RunOptions', 'options', '`createRuntime(options)` and `fanOut(aggregate, input, options)`', 4],
  ['Override', 'options', '`createRuntime(options)` and `fanOut(aggregate, input, options)`', 4],
  ['ThreadOptions', 'options', '`createRuntime(options)` and `fanOut(aggregate, input, options)`', 3],
  ['RedisOptions', 'replicas', 'Options of `redisState`', 8],
  ['LoadResult', 'load-testing', 'The result as JSON', 12],
  ['StepOptions', 'options', 'Steps', 2],
  ['ReplyOptions', 'options', 'Steps', 1],
  ['OptionalOptions', 'options', 'Steps', 1],
  ['EachBounds', 'options', 'Steps', 2],
  ['EachTolerance', 'options', 'Steps', 2],
  ['FirstOfOptions', 'options', 'Steps', 1],
  ['PagesOptions', 'options', 'Steps', 5],
] as const) {
  test(`the docs list every option of ${name}`, async t => {
    const options = optionsOf(name)
    t.ok(options.length >= count)
    const listed = new Set(names(section(of, heading)))
    t.same(
      options.filter(option => !listed.has(option)),
      [],
    )
  })
}

test('the docs have the defaults of upstreams that the code has', async t => {
  const spec = upstreamSpec('any', { origin: 'http://127.0.0.1' }, []) as unknown as Readonly<Record<string, unknown>>
  const table = tableRows(section('options', '`defineUpstream(name, options, operations)`'))
  const literal = table.filter(([, value = '']) => /^[\d[{]|^(?:true|false)$/.test(value))
  t.ok(literal.length > 12)
  for (const [option = '', value = ''] of literal) {
    const code = value.replace(/^(\d+) MiB$/, '$1 * 1024 * 1024')
    // oxlint-disable-next-line typescript/no-implied-eval -- the page is ours
    const inDocs = new Function(`return (${code})`)() as unknown
    t.same(spec[option] ?? false, inDocs, option)
  }
})

test('the docs have the defaults of the policies that the code has', t => {
  const spec = upstreamSpec('any', { origin: 'http://127.0.0.1', hedge: true }, [])
  const text = section('options', 'Policies of an upstream')
  for (const policy of ['retry', 'hedge', 'retryBudget', 'breaker'] as const) {
    const [, part = ''] = text.split(`\n### \`${policy}\`\n`)
    const inDocs = tableRows(part.split('\n### ')[0] as string)
      .map(([field, value = '']) => [field, value.replaceAll('`', '')] as const)
      .filter(([, value]) => /^(?:[\d.]+|false)$/.test(value))
    const inCode = Object.entries(spec[policy])
      .filter(([, value]) => value !== undefined)
      .map(([field, value]) => [field, String(value)] as const)
    t.strictSame(Object.fromEntries(inDocs), Object.fromEntries(inCode), policy)
  }
  t.end()
})

test('the docs have the defaults of the choice among origins that the code has', async t => {
  const { balance } = upstreamSpec('any', { origins: ['http://a'], balance: { healthCheck: { path: '/' } } }, [])
  const text = section('options', 'Policies of an upstream')
  for (const [group, options] of [
    ['balance', balance],
    ['balance.ejection', balance.ejection],
    ['balance.healthCheck', balance.healthCheck],
  ] as const) {
    const [, part = ''] = text.split(`\n### \`${group}\`\n`)
    const inDocs = tableRows(part.split('\n### ')[0] as string)
      .map(([field, value = '']) => [field, value] as const)
      .filter(([, value]) => /^[\d.]+$/.test(value))
    const inCode = Object.entries(options as object).filter(([, value]) => typeof value === 'number')
    t.strictSame(
      inDocs,
      inCode.map(([field, value]) => [field, String(value)]),
      group,
    )
  }
  const [, declared = ''] = text.split('`ejection` | `')
  t.equal(
    declared.slice(0, declared.indexOf('`')),
    JSON.stringify(balance.ejection)
      .replaceAll('"', '')
      .replaceAll(/[:,]/g, '$& ')
      .replace(/^\{(.*)\}$/, '{ $1 }'),
  )
})

test('the docs have the states of an origin and their transitions as the code has them', async t => {
  const rows = tableRows(section('origins', 'Ejection')).filter(([state = '']) => state in transitions)
  t.same(
    Object.fromEntries(rows.map(([state, , next = '']) => [state, next.match(/\b(?:available|ejected|unhealthy)\b/g)])),
    transitions,
  )
})

test('the docs say of each schema what it reads of which number', async t => {
  const text = page('numbers')
  const [header = ''] = text.split('\n').filter(line => line.startsWith('| schema |'))
  const numbers = header
    .slice(1, -1)
    .split('|')
    .map(cell => cell.trim().replaceAll('`', ''))
    .slice(1)
  const table = tableRows(text)
  t.ok(table.length > 10)
  for (const [schema = '', ...values] of table) {
    // oxlint-disable-next-line typescript/no-implied-eval -- the page is ours
    const output = new Function('z', `return ${schema}`)(z) as z.ZodType
    for (const [index, number] of numbers.entries())
      t.equal(values[index], read(output, number), `${schema} reads ${number}`)
  }
})

function read(output: z.ZodType, text: string): string {
  try {
    return inspect(readJsonBody(output, text))
  } catch {
    return 'failure'
  }
}

test('the changelog has each heading and each entry of a version once', async t => {
  const [, unreleased = ''] = readFileSync(new URL('../CHANGELOG.md', import.meta.url), 'utf8').split('\n## ')
  for (const part of unreleased.split('\n### ').slice(1)) {
    const lines = part.split('\n')
    const marks = [
      ...lines.filter(line => /^[A-Z].*:$/.test(line)),
      ...lines.filter(line => line.startsWith('- ')).map(line => line.slice(0, 40)),
    ]
    t.ok(marks.length > 10, `${lines[0]}: ${marks.length}`)
    t.same(
      marks.filter((mark, at) => marks.indexOf(mark) !== at),
      [],
    )
    t.same(
      lines.filter((line, at) => /^[A-Z].*:$/.test(line) && lines[at - 1] !== ''),
      [],
      'a line is empty before each heading',
    )
  }
})
