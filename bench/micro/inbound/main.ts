// `npm run bench:inbound`: measures the CPU time that each piece of the service adds to an inbound request.
import { setImmediate } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { disablePretenuring } from '../../../src/server/disable-pretenuring.ts'
import { request, rows, type Row } from './apps.ts'
import { SinkConnection } from './sink-connection.ts'

/** Connections of each app. Each sends one request per turn of the event loop. */
const connectionsPerApp = 32
const turnsPerRound = 40
/** The limit on the cost of a request with its log line, as a multiple of the cost of `node:http`. */
const limit = 7

interface Measured extends Row {
  readonly connections: readonly SinkConnection[]
  /** The lowest cost of a request over all rounds, in µs. */
  micros: number
}

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '120' } } })
const rounds = Number(values.rounds)
if (!Number.isInteger(rounds) || rounds < 1)
  throw new Error(`--rounds must be a positive integer, got '${values.rounds}'`)

disablePretenuring()
const measured = new Map<string, Measured>()
for (const row of rows) {
  const server = await row.start()
  const connections = Array.from({ length: connectionsPerApp }, () => new SinkConnection(server))
  measured.set(row.name, { ...row, connections, micros: Infinity })
}
// The apps take turns, so that a slow phase of the machine affects all of them.
for (let round = 1; round <= rounds; round++)
  for (const app of measured.values()) app.micros = Math.min(app.micros, await costOf(app, round))

process.stdout.write('µs per request   added by the piece\n')
for (const { name, beside, micros } of measured.values()) {
  const added = beside === undefined ? '' : (micros - microsOf(beside)).toFixed(2)
  process.stdout.write(`${micros.toFixed(2).padStart(14)}   ${added.padStart(6)}  ${name}\n`)
}
const ratio = microsOf('log line, level info') / microsOf('node:http')
const isWithin = ratio <= limit
process.stdout.write(
  `a request with its log line costs ${ratio.toFixed(2)} times as much as with node:http: ` +
    `it ${isWithin ? 'is within' : 'exceeds'} ${limit}\n`,
)
process.exit(isWithin ? 0 : 1)

/** Returns the CPU time of a request in one round, in µs. */
async function costOf({ name, connections }: Measured, round: number): Promise<number> {
  const before = process.cpuUsage()
  for (let turn = 0; turn < turnsPerRound; turn++) {
    for (const connection of connections) connection.send(request)
    await setImmediate()
  }
  const { user, system } = process.cpuUsage(before)
  for (const { replies } of connections)
    if (replies !== round * turnsPerRound)
      throw new Error(`${name}: ${replies} replies with status 200 to ${round * turnsPerRound} requests`)
  return (user + system) / turnsPerRound / connections.length
}

function microsOf(name: string): number {
  return (measured.get(name) as Measured).micros
}
