import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import tap, { test, type Test } from 'tap'
import type { BulkRow, BulkRuns } from '../../src/dashboard/protocol.ts'
import { openReader, type OpenReader } from '../admin/dashboard/helpers/open-reader.ts'
import { inputLines, slowDouble } from '../helpers/bulk-definitions.ts'
import { definitionsFolder } from '../helpers/definitions-folder.ts'
import { elapsed, until } from '../helpers/until.ts'
import { adminService } from './admin/helpers/admin-service.ts'

// Each test starts several processes.
tap.setTimeout(180_000)

const plain = slowDouble.replace(', bulk: true', '')

async function arrange(t: Test, flags: readonly string[], definitions = slowDouble) {
  const { path, write } = definitionsFolder(t, { 'double.ts': definitions })
  const dir = join(path, 'bulk')
  const environment = { HEADWATERS_BULK_DIR: dir, API_KEYS: 'first-key-0123456789,second-key-0123456789' }
  const service = await adminService(t, environment, ['serve', join(path, 'double.ts'), ...flags])
  await service.said('serving')
  const create = async (key: string, count: number) => {
    const reply = await fetch(`${service.origin}/v1/bulk/double`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson', authorization: `Bearer ${key}` },
      body: inputLines(count),
    })
    return ((await reply.json()) as { readonly id: string }).id
  }
  return { ...service, dir, create, write, admin: `http://127.0.0.1:${service.adminPort}` }
}

/** Resolves with the first look, from now on, that meets a condition. */
async function lookWith({ next }: OpenReader, isMet: (event: BulkRuns) => boolean): Promise<BulkRuns> {
  let found: BulkRuns | undefined
  await until(async () => {
    const event = await next('bulk')
    if (isMet(event)) found = event
    return found !== undefined
  })
  return found as BulkRuns
}

const rowOf = ({ rows }: BulkRuns, id: string) => rows.find(row => row.id === id) as BulkRow

for (const flags of [[], ['--workers', '2']])
  test(`the dashboard follows the bulk runs of all keys: serve ${flags.join(' ')}`, async t => {
    const { admin, create, dir, said } = await arrange(t, flags)
    const long = await create('first-key-0123456789', 3000)
    const short = await create('second-key-0123456789', 100)
    const reader = await openReader(t, admin)
    t.match(await reader.next('hello'), { bulk: { type: 'bulk', status: 'unread', rows: [] } })
    const first = await lookWith(reader, ({ rows }) => rows.length === 2)
    t.match(rowOf(first, long), { aggregate: 'double', items: 3000, state: 'running', endedAt: null, expiresAt: null })
    t.notMatch(JSON.stringify(first), /owner|upload|digest|first-key/)
    const later = await lookWith(reader, event => rowOf(event, long).done > rowOf(first, long).done)
    t.equal(rowOf(later, long).counts?.succeeded, rowOf(later, long).done)
    const ended = await lookWith(reader, ({ rows }) => rows.every(({ state }) => state === 'completed'))
    t.match(rowOf(ended, long), { done: 3000, counts: { succeeded: 3000, partial: 0, failed: 0 } })
    const { endedAt, expiresAt } = rowOf(ended, short)
    t.equal((expiresAt ?? 0) - (endedAt ?? 0), 604_800_000)
    t.equal(ended.all, 2)

    // Another dashboard gets the rows at once.
    const second = await openReader(t, admin)
    t.match(await second.next('hello'), { bulk: { status: 'read', all: 2, rows: [{}, {}] } })
    await rm(join(dir, 'objects'), { recursive: true, force: true })
    await writeFile(join(dir, 'objects'), '')
    t.match(await lookWith(second, ({ status }) => status === 'unreadable'), { rows: [{ id: short }, { id: long }] })
    t.match(await said('bulk runs cannot be read for the dashboard'), { level: 40, err: { code: 'ENOTDIR' } })
  })

for (const flags of [[], ['--workers', '2']])
  test(`a reload starts and ends the part of bulk runs, and a refused one is shown: serve ${flags.join(' ')}`, async t => {
    const { admin, write, stop, said, saidTimes } = await arrange(t, flags, plain)
    const reader = await openReader(t, admin)
    t.match(await reader.next('hello'), { bulk: null, now: { type: 'sample' } })
    t.equal((await reader.next('sample')).refused, undefined)

    const before = Date.now()
    write('double.ts', 'export const broken: unknown = 1 +')
    stop('SIGHUP')
    await said('reload failed')
    let refused: { readonly at: number; readonly faults: number } | undefined
    await until(async () => {
      await elapsed(10)
      refused = (await reader.next('sample')).refused
      return refused !== undefined
    })
    t.ok(refused !== undefined && refused.at >= before && refused.at <= Date.now())
    t.equal(refused?.faults, 1)
    t.match((await (await openReader(t, admin)).next('hello')).now, { refused: { faults: 1 } })

    write('double.ts', slowDouble)
    stop('SIGHUP')
    await said('definitions reloaded')
    await until(async () => (await reader.next('sample')).refused === undefined)
    let bulk: BulkRuns | null = null
    await until(async () => (bulk = (await reader.next('hello')).bulk) !== null)
    // The first look can be over before the first event is made.
    if ((bulk as unknown as BulkRuns).status === 'unread') await lookWith(reader, ({ status }) => status === 'read')
    write('double.ts', plain)
    stop('SIGHUP')
    await saidTimes('definitions reloaded', 2)
    await until(async () => (await reader.next('hello')).bulk === null)
  })
