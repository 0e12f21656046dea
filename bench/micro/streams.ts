// `npm run bench:streams`: measures the CPU time that each event adds to the stream of an aggregate, and fails above the
// limit of an item and a source.
import { setImmediate } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { buildApp } from '../../src/app.ts'
import { aggregate, times, type AnyAggregate, type Builder } from '../../src/fanout/aggregate.ts'
import { disablePretenuring } from '../../src/server/disable-pretenuring.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { SinkConnection } from './inbound/sink-connection.ts'

/** Connections of each variant. Each sends one request per turn of the measurement. */
const connectionsPerVariant = 32
const requestsPerRound = 10
/** Turns of the event loop after which every stream has ended. */
const turnsPerRequest = 12
const items = 50
const sources = 20
/** The limit on an item and on a source, in µs. */
const limit = 10

type Accept = 'application/json' | 'application/x-ndjson'

interface Variant {
  readonly connections: readonly SinkConnection[]
  readonly request: Buffer
  /** The lowest cost of a request over all rounds, in µs. */
  micros: number
}

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '60' } } })
const rounds = Number(values.rounds)
if (!Number.isInteger(rounds) || rounds < 1)
  throw new Error(`--rounds must be a positive integer, got '${values.rounds}'`)

const up = defineUpstream(
  'up',
  { origin: 'http://127.0.0.1:1', concurrency: 10_000 },
  { one: operation({ path: '/', output: z.unknown() }) },
)
const Any = z.unknown()
const url = (name: string) => ({ url: `/${name}` })

const withItems = (name: string, count: number) =>
  aggregate(name, url(name))
    .each('items', () => times(count, () => up.one()))
    .reply(Any, () => 1)

function withSources(name: string, count: number): AnyAggregate {
  let builder = aggregate(name, url(name)) as Builder<unknown, object>
  for (let index = 0; index < count; index++) builder = builder.required(`s${index}` as never, () => index)
  return builder.reply(Any, () => 1)
}

const row = { id: 7, name: 'a row of a table', score: 10.5, tags: ['a', 'b'], isOpen: true }
const Rows = z.array(
  z.object({ id: z.number(), name: z.string(), score: z.number(), tags: z.array(z.string()), isOpen: z.boolean() }),
)

/** A run in which one step ends some turns later than the others. */
const withSnapshot = (name: string, rows: number, hasSnapshot: boolean) =>
  aggregate(name, url(name))
    .required('rows', () => times(rows, () => ({ ...row })))
    .optional('late', () => someTurns(), { fallback: 0 })
    .reply(z.object({ rows: Rows, late: z.number() }), ({ rows: all, late }) => ({ rows: all, late }), {
      ...(!hasSnapshot && { snapshot: false as const }),
    })

async function someTurns(): Promise<number> {
  for (let turn = 0; turn < 4; turn++) await setImmediate()
  return 1
}

const aggregates = {
  item: withItems('item', 1),
  items: withItems('items', items + 1),
  source: withSources('source', 1),
  sources: withSources('sources', sources + 1),
  smallWithout: withSnapshot('small-without', 1, false),
  small: withSnapshot('small', 1, true),
  largeWithout: withSnapshot('large-without', 120, false),
  large: withSnapshot('large', 120, true),
}

disablePretenuring()
const app = buildApp(Object.values(aggregates), {
  layers: { call: [() => async () => ({ value: 1 as never, status: 200 })] },
})
const origin = await app.listen({ host: '127.0.0.1', port: 0 })
await checkEvents('/items', 'item', items + 1)
await checkEvents('/sources', 'source', sources + 1)
for (const path of ['/small', '/large']) await checkEvents(path, 'snapshot', 1)

const variants = new Map<string, Variant>()
for (const { name } of Object.values(aggregates))
  for (const accept of ['application/json', 'application/x-ndjson'] as const)
    variants.set(keyOf(name, accept), {
      connections: Array.from({ length: connectionsPerVariant }, () => new SinkConnection(app.server)),
      request: Buffer.from(`GET /${name} HTTP/1.1\r\nhost: 127.0.0.1:3000\r\naccept: ${accept}\r\n\r\n`),
      micros: Infinity,
    })
// The variants take turns, so that a slow phase of the machine affects all of them.
for (let round = 1; round <= rounds; round++)
  for (const [name, variant] of variants) variant.micros = Math.min(variant.micros, await costOf(name, variant, round))

const perItem = (addedByStream(aggregates.items) - addedByStream(aggregates.item)) / items
const perSource = (addedByStream(aggregates.sources) - addedByStream(aggregates.source)) / sources
const bytes = JSON.stringify(times(120, () => row)).length
const lines: readonly (readonly [number, string])[] = [
  [addedByStream(aggregates.source), 'a stream of one source instead of the plain reply'],
  [perItem, `an item event, of at most ${limit} µs`],
  [perSource, `a source event, of at most ${limit} µs`],
  [streamOf(aggregates.small) - streamOf(aggregates.smallWithout), 'a snapshot of 100 bytes'],
  [streamOf(aggregates.large) - streamOf(aggregates.largeWithout), `a snapshot of ${(bytes / 1024).toFixed(0)} KB`],
]
for (const [micros, name] of lines) process.stdout.write(`${micros.toFixed(2).padStart(8)} µs  ${name}\n`)
process.exit(perItem <= limit && perSource <= limit ? 0 : 1)

function keyOf(name: string, accept: Accept): string {
  return `${name} ${accept}`
}

function streamOf({ name }: AnyAggregate): number {
  return (variants.get(keyOf(name, 'application/x-ndjson')) as Variant).micros
}

/** Returns the time that a stream takes longer than the plain reply. */
function addedByStream(described: AnyAggregate): number {
  return streamOf(described) - (variants.get(keyOf(described.name, 'application/json')) as Variant).micros
}

/** Returns the CPU time of a request in one round, in µs. */
async function costOf(name: string, { connections, request }: Variant, round: number): Promise<number> {
  const before = process.cpuUsage()
  for (let count = 0; count < requestsPerRound; count++) {
    for (const connection of connections) connection.send(request)
    for (let turn = 0; turn < turnsPerRequest; turn++) await setImmediate()
  }
  const { user, system } = process.cpuUsage(before)
  for (const { replies } of connections)
    if (replies !== round * requestsPerRound)
      throw new Error(`${name}: ${replies} replies with status 200 to ${round * requestsPerRound} requests`)
  return (user + system) / requestsPerRound / connections.length
}

/** Throws unless the stream of an aggregate has this number of events of a kind. */
async function checkEvents(path: string, kind: string, expected: number): Promise<void> {
  const response = await fetch(origin + path, { headers: { accept: 'application/x-ndjson' } })
  const text = await response.text()
  const found = text.split('\n').filter(line => line.startsWith(`{"event":"${kind}"`)).length
  if (found !== expected) throw new Error(`${path}: ${found} events of the kind ${kind}, not ${expected}:\n${text}`)
}
