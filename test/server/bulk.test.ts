import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import tap, { test, type Test } from 'tap'
import { doubles, inputLines, readLines, slowDouble, untilChunks } from '../helpers/bulk-definitions.ts'
import { definitionsFolder } from '../helpers/definitions-folder.ts'
import { runCommand, startService } from '../helpers/service-process.ts'
import { elapsed, until } from '../helpers/until.ts'

// Each test starts several processes.
tap.setTimeout(180_000)

const items = 2000

function folders(t: Test) {
  const { path, write } = definitionsFolder(t, { 'double.ts': slowDouble })
  const dir = join(path, 'bulk')
  const args = ['serve', join(path, 'double.ts')]
  return { dir, args, write, environment: { HEADWATERS_BULK_DIR: dir } }
}

async function create(origin: string, count = items): Promise<string> {
  const created = await fetch(`${origin}/v1/bulk/double`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: inputLines(count),
  })
  return ((await created.json()) as { id: string }).id
}

/** Checks that the run ends with every result once. */
async function completes(t: Test, origin: string, id: string): Promise<void> {
  const url = `${origin}/v1/bulk/runs/${id}`
  await until(async () => {
    await elapsed(50)
    // The worker of a connection may have been killed.
    const reply = await fetch(url).catch(() => undefined)
    return reply !== undefined && ((await reply.json()) as { state: string }).state === 'completed'
  })
  t.same(readLines(await (await fetch(`${url}/results`)).text()), doubles(items))
}

test('a run survives kill -9 of the service', async t => {
  const { dir, args, environment } = folders(t)
  const first = await startService(t, environment, args)
  const id = await create(first.origin)
  await untilChunks(dir, 3)
  first.stop('SIGKILL')
  await first.exited
  const second = await startService(t, environment, args)
  await completes(t, second.origin, id)
  t.match(await second.said('bulk run completed'), { bulk: id, succeeded: items, failed: 0 })
})

test('a run survives kill -9 of a worker, whose chunk another worker takes over', async t => {
  const { dir, args, environment } = folders(t)
  const { origin, saidTimes } = await startService(t, environment, [...args, '--workers', '2'])
  const id = await create(origin)
  const [first, second] = await saidTimes('bulk run started', 2)
  t.not(first?.['pid'], second?.['pid'], 'both workers work on the run')
  await untilChunks(dir, 3)
  process.kill(first?.['pid'] as number, 'SIGKILL')
  await completes(t, origin, id)
  const claims = () => readdir(join(dir, 'objects', 'claims', id)).catch(() => [])
  // Another worker may look for a chunk at the end of the run.
  await until(async () => (await claims()).length === 0)
  t.same(await claims(), [], 'no claim stays')
})

test('a shutdown leaves a run that the next start goes on with', async t => {
  const { dir, args, environment } = folders(t)
  const first = await startService(t, environment, args)
  const id = await create(first.origin)
  await untilChunks(dir, 2)
  first.stop('SIGTERM')
  t.match(await first.ended, { code: 0 })
  const second = await startService(t, environment, args)
  await completes(t, second.origin, id)
})

test('a service that reloads its definitions goes on with its runs', async t => {
  const { dir, args, write, environment } = folders(t)
  const { origin, said } = await startService(t, environment, [...args, '--watch'])
  const id = await create(origin)
  await untilChunks(dir, 2)
  write('double.ts', `${slowDouble}\n// changed\n`)
  await said('definitions reloaded')
  await completes(t, origin, id)
})

test('a service with such an aggregate needs a folder that it can write', async t => {
  const { dir, args, write } = folders(t)
  const without = await runCommand(t, args)
  t.equal(without.code, 2)
  t.match(without.errors, /HEADWATERS_BULK_DIR: is required, because the aggregate 'double' has bulk: true/)
  write('file', '')
  const unusable = await runCommand(t, args, { HEADWATERS_BULK_DIR: join(dir, '../file') })
  t.equal(unusable.code, 2)
  t.match(unusable.errors, /HEADWATERS_BULK_DIR: the folder cannot be used: /)
})
