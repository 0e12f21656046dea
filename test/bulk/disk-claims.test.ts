import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'tap'
import { DiskClaims } from '../../src/bulk/disk/disk-claims.ts'
import { isRunning, ownIdentity } from '../../src/bulk/disk/process-identity.ts'
import { MemoryStore } from './helpers/memory-store.ts'

const run = 'a'.repeat(32)

test('a chunk has one claim, which a release ends', async t => {
  const store = new MemoryStore()
  const [one, other] = [new DiskClaims(store), new DiskClaims(store)]
  const release = await one.claim(run, '000001')
  t.type(release, 'function')
  t.equal(await other.claim(run, '000001'), undefined)
  t.type(await other.claim(run, '000002'), 'function')
  await release?.()
  t.type(await other.claim(run, '000001'), 'function')
})

test('one of several claims at the same time succeeds', async t => {
  const store = new MemoryStore()
  const claims = await Promise.all(Array.from({ length: 10 }, () => new DiskClaims(store).claim(run, '000001')))
  t.equal(claims.filter(claim => claim !== undefined).length, 1)
})

test('the claim of a process that was killed is free at once', async t => {
  const store = new MemoryStore()
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  t.teardown(() => child.kill('SIGKILL'))
  await once(child, 'spawn')
  const held = (start: string) => Buffer.from(JSON.stringify({ pid: child.pid, start }))
  await store.create(`claims/${run}/000001/000001`, held(''))
  await store.create(`claims/${run}/000002/000001`, held('another boot 1'))
  const claims = new DiskClaims(store)
  t.equal(await claims.claim(run, '000001'), undefined, 'the process runs')
  t.type(await claims.claim(run, '000002'), 'function', 'a later process has the same id')
  child.kill('SIGKILL')
  await once(child, 'exit')
  t.type(await claims.claim(run, '000001'), 'function')
})

test('a process whose parent has not waited for it does not run, and a system without /proc shows no start', async t => {
  const { pid } = process
  const stat = (state: string) => `${pid} (a (b) c) ${state} ${'0 '.repeat(18)}77 0\n`
  const boot = { sys: { kernel: { random: { boot_id: 'boot-1\n' } } } }
  const running = t.testdir({ ...boot, [pid]: { stat: stat('S') } })
  const own = ownIdentity(running)
  t.same(own, { pid, start: 'boot-1 77' })
  t.equal(isRunning(own, running), true)
  for (const state of ['Z', 'X']) t.equal(isRunning(own, t.testdir({ ...boot, [pid]: { stat: stat(state) } })), false)
  t.same(ownIdentity(t.testdir()), { pid, start: '' })
  t.equal(isRunning({ pid, start: '' }, t.testdir()), true)
})

test('the identity of a process includes its start', async t => {
  const own = ownIdentity()
  t.equal(isRunning(own), true)
  t.equal(isRunning({ ...own, start: 'another' }), false)
  t.equal(isRunning({ pid: 1, start: '' }), true)
  t.equal(isRunning({ pid: 4_194_305, start: '' }), false)
})
