// `npm run bench:params`: measures the cost of the parameters of a call and of a request, and fails above the limit.
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { readInput } from '../../src/fanout/input.ts'
import { pathForms, queryForms, type TargetForms } from '../../src/upstream/call/target.ts'
import { defineUpstream, operation, specOf } from '../../src/upstream/declare.ts'
import { operationSpec } from '../../src/upstream/spec/check-operation.ts'
import { inputs } from '../compare/serve/inputs.ts'

const {
  values: { rounds, limit, help },
} = parseArgs({
  options: {
    rounds: { type: 'string', default: '40' },
    limit: { type: 'string', default: '1.5' },
    help: { type: 'boolean', default: false },
  },
})
if (help) {
  console.log(`node bench/micro/params.ts: measures the cost of parameters

  --rounds 40   rounds of each row; a row is the best of its rounds
  --limit 1.5   the highest cost of the path and the query of a call together, in µs; above it the exit code is 1
  --help`)
  process.exit()
}

const timesPerRound = 50_000

const params = z.object({ topic: z.string() })
const query = z.object({ index: z.int(), lang: z.string().optional(), max_length: z.int().optional() })
const path = '/topics/{topic}/fact'
const output = z.unknown()
const up = defineUpstream(
  'up',
  { origin: 'http://127.0.0.1:9' },
  {
    bare: operation({ path: '/topics/fact', output }),
    ofPath: operation({ path, params, output }),
    ofQuery: operation({ path: '/topics/fact', query, output }),
    ofBoth: operation({ path, params, query, output }),
  },
)
const both = operationSpec(specOf(up), 'both', { path, params, query, output })
const { route } = aggregate('facts', {
  url: '/v1/facts/{topic}',
  params,
  query: z.object({
    n: z.coerce.number().int().min(1).max(100),
    lang: z.string().optional(),
    max_length: z.coerce.number().int().min(1).optional(),
  }),
}).reply(output, () => 1)
const { route: bare } = aggregate('bare', { url: '/v1/bare' }).reply(output, () => 1)
const { route: posted } = aggregate('posted', {
  url: '/v1/posted',
  body: z.object({ name: z.string(), tags: z.array(z.object({ id: z.int(), text: z.string() })) }),
}).reply(output, () => 1)

const given = inputs.map(({ topic, lang, maxLength }, index) => ({ topic, index, lang, max_length: maxLength }))
const received = inputs.map(({ topic, lang, maxLength }) => ({
  params: { topic },
  query: {
    n: '20',
    ...(lang !== undefined && { lang }),
    ...(maxLength !== undefined && { max_length: `${maxLength}` }),
  },
}))
const body = { name: 'a', tags: Array.from({ length: 10 }, (_, id) => ({ id, text: `tag ${id}` })) }

/** Writes a path or a query without generated code. */
const plain =
  (...forms: readonly TargetForms[]) =>
  (input: (typeof given)[number]) =>
    forms.map(each => each.plain(input)).join('')

let at = 0
/** Uses the inputs of the bench in turn. */
const each =
  <I>(list: readonly I[], use: (input: I) => unknown) =>
  () =>
    use(list[at++ % list.length] as I)

const rows = {
  'call without parameters': () => up.bare(),
  'call with a path parameter': each(given, input => up.ofPath(input)),
  'call with a query of three fields': each(given, input => up.ofQuery(input)),
  'call with both': each(given, input => up.ofBoth(input)),
  'call with both, without generated code': each(
    given,
    plain(pathForms(both, params, true), queryForms(both, query, true)),
  ),
  'request without parameters': () => readInput(bare, {}),
  'request with a path parameter and a query of three fields': each(received, raw => readInput(route, raw)),
  'request with a body of 10 objects': () => readInput(posted, { body }),
}

const best = new Map(Object.keys(rows).map(name => [name, Infinity]))
let result: unknown
// The rows take turns. The minimum over many rounds is the value without disturbance.
for (let round = 0; round < Number(rounds); round++) {
  for (const [name, run] of Object.entries(rows)) {
    const startedAt = process.hrtime.bigint()
    for (let time = 0; time < timesPerRound; time++) result = run()
    const us = Number(process.hrtime.bigint() - startedAt) / 1000 / timesPerRound
    best.set(name, Math.min(best.get(name) as number, us))
  }
}
if (result === undefined) throw new Error('the last row has no result')

const costOf = (name: keyof typeof rows) => best.get(name) as number
for (const [name, us] of best) console.log(`${us.toFixed(3).padStart(7)} µs  ${name}`)
const cost = costOf('call with both') - costOf('call without parameters')
console.log(`${cost.toFixed(3).padStart(7)} µs  path and query of a call, of at most ${limit} µs`)
if (cost > Number(limit)) process.exitCode = 1
