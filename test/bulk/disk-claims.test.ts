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

test('the identity of a process includes its start', async t => {
  const own = ownIdentity()
  t.equal(isRunning(own), true)
  t.equal(isRunning({ ...own, start: 'another' }), false)
  t.equal(isRunning({ pid: 1, start: '' }), true)
  t.equal(isRunning({ pid: 4_194_305, start: '' }), false)
})
