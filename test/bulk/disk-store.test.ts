import { mkdtemp, readdir, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type Test } from 'tap'
import { DiskStore } from '../../src/bulk/disk/disk-store.ts'

async function openStore(t: Test) {
  const folder = t.testdir()
  return { folder, store: await DiskStore.open(folder) }
}

const text = (bytes: Buffer | undefined) => bytes?.toString()

test('an object is created once, and read whole or in part', async t => {
  const { folder, store } = await openStore(t)
  t.equal(await store.create('runs/a/b', Buffer.from('0123456789')), true)
  t.equal(await store.create('runs/a/b', Buffer.from('other')), false)
  t.equal(text(await store.read('runs/a/b')), '0123456789')
  t.equal(text(await store.read('runs/a/b', { start: 2, end: 5 })), '234')
  t.equal(text(await store.read('runs/a/b', { start: 8, end: 50 })), '89')
  t.equal(text(await store.read('runs/a/b', { start: 50, end: 60 })), '')
  t.equal(await store.read('runs/a/c'), undefined)
  t.equal(await store.read('runs/a/c', { start: 0, end: 1 }), undefined)
  t.same([await store.has('runs/a/b'), await store.has('runs/a/c')], [true, false])
  t.same(await readdir(join(folder, 'temporary')), [], 'no temporary file stays')
})

test('an object that cannot be written leaves no temporary file', async t => {
  const { folder, store } = await openStore(t)
  await writeFile(join(folder, 'objects', 'runs'), '')
  await t.rejects(store.create('runs/a', Buffer.from('1')), { code: 'EEXIST' })
  await t.rejects(store.create('runs/a/b', Buffer.from('1')), { code: 'ENOTDIR' })
  t.same(await readdir(join(folder, 'temporary')), [])
})

test('one of many processes that create an object at the same time succeeds', async t => {
  const { store } = await openStore(t)
  const created = await Promise.all(Array.from({ length: 20 }, (_, n) => store.create('runs/a', Buffer.from(`${n}`))))
  t.equal(created.filter(isCreated => isCreated).length, 1)
  t.equal(text(await store.read('runs/a')), String(created.indexOf(true)))
})

test('a folder is listed in order, and removed with everything below it', async t => {
  const { store } = await openStore(t)
  for (const name of ['runs/b/2', 'runs/b/1', 'runs/a/1', 'claims/x']) await store.create(name, Buffer.alloc(0))
  t.same(await store.list('runs'), ['a', 'b'])
  t.same(await store.list('runs/b'), ['1', '2'])
  t.same(await store.list('none'), [])
  await store.remove('runs')
  await store.remove('runs')
  t.same([await store.list('runs'), await store.list('claims')], [[], ['x']])
})

test('a name that could leave the folder is refused', async t => {
  const { store } = await openStore(t)
  for (const name of ['', '..', 'a/../b', '/a', 'a/', 'a//b', 'A', 'a.b', 'a\0', 'a\\b', 'a'.repeat(256)])
    await t.rejects(store.read(name), { name: 'TypeError', message: /is not the name of an object/ }, name)
  await t.rejects(store.create('../x', Buffer.alloc(0)))
  await t.rejects(store.remove('../x'))
})

test('old temporary files are removed at the start, and new ones stay', async t => {
  const { folder } = await openStore(t)
  const [old, young] = ['old', 'young'].map(name => join(folder, 'temporary', name)) as [string, string]
  for (const file of [old, young]) await writeFile(file, 'part of an object')
  const hoursAgo = new Date(Date.now() - 3 * 3_600_000)
  await utimes(old, hoursAgo, hoursAgo)
  await DiskStore.open(folder)
  t.same(await readdir(join(folder, 'temporary')), ['young'])
})

test('a failure of the disk is an error and not an absent object', async t => {
  const { folder, store } = await openStore(t)
  await writeFile(join(folder, 'objects', 'runs'), 'a file where a folder must be')
  await t.rejects(store.read('runs/a'), { code: 'ENOTDIR' })
  await t.rejects(store.list('runs/a'), { code: 'ENOTDIR' })
  await t.rejects(store.create('runs/a/b', Buffer.alloc(0)), { code: 'ENOTDIR' })
  t.same(await readdir(join(folder, 'temporary')), [])
  const elsewhere = await mkdtemp(join(tmpdir(), 'headwaters-'))
  await writeFile(join(elsewhere, 'file'), '')
  await t.rejects(DiskStore.open(join(elsewhere, 'file')), { code: 'ENOTDIR' })
})
