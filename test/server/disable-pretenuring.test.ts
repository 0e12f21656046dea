import { join } from 'node:path'
import { test } from 'tap'
import { definitionsFolder } from '../helpers/definitions-folder.ts'
import { startService } from '../helpers/service-process.ts'

test('the service puts nothing into the old generation that does not grow old', async t => {
  const { path } = definitionsFolder(t, {
    'tenured.mjs': `
    import { aggregate } from 'headwaters'
    import { z } from 'zod'
    import { tenuredBytes } from ${JSON.stringify(join(import.meta.dirname, '../helpers/tenured-bytes.ts'))}
    export const tenured = aggregate('tenured', { url: '/tenured' }).reply(z.number(), () => tenuredBytes())
  `,
  })
  const { origin } = await startService(t, {}, ['serve', path])
  const { data } = (await (await fetch(`${origin}/tenured`)).json()) as { data: number }
  // Left to itself, Node.js puts more than 150 MB there.
  t.ok(data < 10e6, `${data} bytes`)
})
