import { createSocket } from 'node:dgram'
import { EventEmitter, once } from 'node:events'
import type { Teardown } from './serve-http.ts'
import { untilEvent } from './until.ts'

/** The data of an SRV record. */
export interface SrvData {
  readonly priority?: number
  readonly weight?: number
  readonly port: number
  /** The target; an empty text is the root. */
  readonly name: string
}

/** The records of one name. A type that is left out has no record. */
export interface DnsRecords {
  /** The time to live, in seconds. @default 60 */
  readonly ttl?: number
  readonly A?: readonly string[]
  readonly AAAA?: readonly string[]
  readonly SRV?: readonly SrvData[]
  /** The types whose questions fail, and how. */
  readonly fails?: Readonly<Partial<Record<DnsType, 'SERVFAIL' | 'silence'>>>
}

type DnsType = 'A' | 'AAAA' | 'SRV'

/** A DNS server on a UDP port of loopback, whose records the test sets. */
export interface DnsServer {
  /** The `address:port` of the server. */
  readonly address: string
  /** Every question so far, as `TYPE name`. */
  readonly questions: readonly string[]
  /** Replaces the records of a name; without records, the name does not exist. */
  set(name: string, records: DnsRecords | undefined): void
  /** Resolves when a question, as `TYPE name`, has come at least `count` times. */
  asked(question: string, count: number): Promise<void>
}

const typeNumbers: Readonly<Record<DnsType, number>> = { A: 1, AAAA: 28, SRV: 33 }
const typeNames = new Map(Object.entries(typeNumbers).map(([name, number]) => [number, name as DnsType]))
const responseCodes = { noError: 0, SERVFAIL: 2, noName: 3 }

/** Starts a DNS server for one test. */
export async function dnsServer(t: Teardown): Promise<DnsServer> {
  const zone = new Map<string, DnsRecords>()
  const questions: string[] = []
  const events = new EventEmitter()
  const socket = createSocket('udp4')
  socket.on('message', (message, { port, address }) => {
    const { type, name, end } = questionOf(message)
    questions.push(`${type} ${name}`)
    events.emit('question')
    const answer = answerTo(type, zone.get(name))
    if (answer === 'silence') return
    const header = Buffer.alloc(12)
    message.copy(header, 0, 0, 2)
    // A response with authority, to a query that wanted recursion, with one question.
    header.writeUInt16BE(0x8580 + answer.code, 2)
    header.writeUInt16BE(1, 4)
    header.writeUInt16BE(answer.records.length, 6)
    socket.send(Buffer.concat([header, message.subarray(12, end), ...answer.records]), port, address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.teardown(() => socket.close())
  return {
    address: `127.0.0.1:${socket.address().port}`,
    questions,
    set(name, records) {
      if (records === undefined) zone.delete(name)
      else zone.set(name, records)
    },
    asked: (question, count) =>
      untilEvent(events, 'question', () => questions.filter(asked => asked === question).length >= count, {
        seen: () => questions,
      }),
  }
}

interface DnsAnswer {
  readonly code: number
  readonly records: readonly Buffer[]
}

function answerTo(type: DnsType, records: DnsRecords | undefined): DnsAnswer | 'silence' {
  if (records === undefined) return { code: responseCodes.noName, records: [] }
  const failure = records.fails?.[type]
  if (failure === 'silence') return failure
  if (failure === 'SERVFAIL') return { code: responseCodes.SERVFAIL, records: [] }
  const data = dataOf(type, records)
  return { code: responseCodes.noError, records: data.map(bytes => recordOf(type, records.ttl ?? 60, bytes)) }
}

function dataOf(type: DnsType, { A = [], AAAA = [], SRV = [] }: DnsRecords): readonly Buffer[] {
  if (type === 'A') return A.map(address => Buffer.from(address.split('.').map(Number)))
  if (type === 'AAAA') return AAAA.map(ipv6Bytes)
  return SRV.map(({ priority = 0, weight = 0, port, name }) => {
    const numbers = Buffer.alloc(6)
    numbers.writeUInt16BE(priority, 0)
    numbers.writeUInt16BE(weight, 2)
    numbers.writeUInt16BE(port, 4)
    return Buffer.concat([numbers, nameBytes(name)])
  })
}

/** Writes a record whose name is that of the question. */
function recordOf(type: DnsType, ttl: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12)
  head.writeUInt16BE(0xc00c, 0)
  head.writeUInt16BE(typeNumbers[type], 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt32BE(ttl, 6)
  head.writeUInt16BE(data.length, 10)
  return Buffer.concat([head, data])
}

function questionOf(message: Buffer): { readonly type: DnsType; readonly name: string; readonly end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = message.readUInt8(at); length > 0; length = message.readUInt8(at)) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += length + 1
  }
  return { type: typeNames.get(message.readUInt16BE(at + 1)) as DnsType, name: labels.join('.'), end: at + 5 }
}

function nameBytes(name: string): Buffer {
  const labels = name.split('.').filter(label => label !== '')
  return Buffer.concat([...labels.map(label => Buffer.from([label.length, ...Buffer.from(label)])), Buffer.from([0])])
}

function ipv6Bytes(address: string): Buffer {
  const [before = [], after = []] = address.split('::').map(part => part.split(':').filter(group => group !== ''))
  const groups = [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after]
  return Buffer.from(groups.flatMap(group => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]))
}
