import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { definitionsFolder } from '../helpers/definitions-folder.ts'
import { redisMissing, startRedis } from '../helpers/redis.ts'
import { startService } from '../helpers/service-process.ts'

/** Writes the URL of each module that is loaded. */
const hooks = `
import { appendFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
registerHooks({
  load(url, context, next) {
    appendFileSync(process.env.LOADED, url + '\\n')
    return next(url, context)
  },
})
`

test('a service without the variables of Redis loads nothing of it', { skip: redisMissing }, async t => {
  const { path } = definitionsFolder(t, { 'hooks.mjs': hooks })
  const server = await startRedis(t, { tcp: true })
  const loadedBy = async (name: string, variables: Readonly<Record<string, string>>) => {
    const file = join(path, name)
    const service = await startService(t, { LOADED: file, ...variables }, ['serve'], {
      node: ['--import', join(path, 'hooks.mjs')],
    })
    await service.said('serving')
    const urls = readFileSync(file, 'utf8').split('\n')
    t.ok(
      urls.some(url => url.endsWith('/src/upstream/runtime.ts')),
      'modules were seen',
    )
    return urls.filter(url => /\/src\/redis\/|\/node_modules\/(?:ioredis|iovalkey|redis|@redis)\//.test(url))
  }
  t.same(await loadedBy('without', {}), [])
  t.ok((await loadedBy('with', { HEADWATERS_REDIS_URL: server.url })).length > 20)
})
