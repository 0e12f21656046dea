import { join } from 'node:path'
import { test } from 'tap'
import { slowDouble } from '../helpers/bulk-definitions.ts'
import { definitionsFolder } from '../helpers/definitions-folder.ts'
import { moduleRecorder } from '../helpers/loaded-modules.ts'
import { redisMissing, startRedis } from '../helpers/redis.ts'

test('a service without the variables of Redis loads nothing of it', { skip: redisMissing }, async t => {
  const server = await startRedis(t, { tcp: true })
  const loaded = moduleRecorder(t)
  const loadedBy = async (variables: Readonly<Record<string, string>>) =>
    (await loaded(variables)).filter(url =>
      /\/src\/redis\/|\/node_modules\/(?:ioredis|iovalkey|redis|@redis)\//.test(url),
    )
  t.same(await loadedBy({}), [])
  t.ok((await loadedBy({ HEADWATERS_REDIS_URL: server.url })).length > 20)
})

test('BullMQ is loaded with its variable and an aggregate for bulk runs only', { skip: redisMissing }, async t => {
  const server = await startRedis(t, { tcp: true })
  const { path } = definitionsFolder(t, { 'double.ts': slowDouble })
  const loaded = moduleRecorder(t)
  const folder = { HEADWATERS_BULK_DIR: join(path, 'bulk') }
  const queue = { ...folder, HEADWATERS_BULK_URL: server.url }
  const serve = ['serve', join(path, 'double.ts')]
  const ofQueue = (urls: readonly string[]) =>
    urls.filter(url => /\/src\/bulk\/queue\/|\/node_modules\/(?:ioredis|bullmq)\//.test(url))
  t.same(ofQueue(await loaded(folder, serve)), [], 'without the variable')
  t.same(ofQueue(await loaded(queue)), [], 'without such an aggregate')
  t.ok(ofQueue(await loaded(queue, serve)).length > 20)
})
