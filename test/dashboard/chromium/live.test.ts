import type { Page } from 'playwright-core'
import { test } from 'tap'
import { chromiumMissing } from '../../helpers/chromium.ts'
import { openDashboard } from '../../helpers/dashboard-page.ts'
import { definitionsFolder } from '../../helpers/definitions-folder.ts'
import { steadyLoad } from '../../helpers/steady-load.ts'
import { switchableUpstream } from '../../helpers/switchable-upstream.ts'
import { isExact } from '../../helpers/timing.ts'
import { until } from '../../helpers/until.ts'
import { adminService } from '../../server/admin/helpers/admin-service.ts'

/** The times from the first failure of an upstream to its colour and to its open breaker on the page, in ms. */
const colourWithin = isExact ? 2000 : 8000
const breakerWithin = isExact ? 6000 : 20_000
const perSecond = 50

const definitions = (steady: string, shaky: string) => `
import { aggregate, defineUpstream, operation } from 'headwaters'
import { z } from 'zod'

const word = operation({ path: '/word', output: z.object({ word: z.string() }) })
const steady = defineUpstream('steady', { origin: '${steady}' }, { word })
const shaky = defineUpstream('shaky', { origin: '${shaky}' }, { word })

export const words: unknown = aggregate('words', { url: '/words', deadline: 2000 })
  .required('steady', () => steady.word())
  .optional('shaky', () => shaky.word(), { fallback: null })
  .reply(z.object({ words: z.array(z.string()) }), ({ steady, shaky }) => ({ words: [steady.word, shaky?.word ?? ''] }))
`

/** Returns the health of a tile, the computed colour of its shape and the state of its breaker. */
async function tileOf(page: Page, name: string) {
  return page.evaluate<{ health: string; colour: string; breaker: string }>(`(() => {
    const tile = document.querySelector('[data-name="${name}"]')
    return {
      health: tile.dataset.health,
      colour: getComputedStyle(tile.querySelector('.shape')).color,
      breaker: tile.querySelector('.breaker')?.dataset.breaker,
    }
  })()`)
}

for (const flags of [[], ['--workers', '2']])
  test(
    `the dashboard follows the load of a service, and shows an upstream that begins to fail: serve ${flags.join(' ')}`,
    { skip: chromiumMissing },
    async t => {
      const steady = await switchableUpstream(t, { word: 'calm' })
      const shaky = await switchableUpstream(t, { word: 'shaky' })
      const { path } = definitionsFolder(t, { 'words.ts': definitions(steady.origin, shaky.origin) })
      const service = await adminService(t, {}, ['serve', path, ...flags])
      steadyLoad(t, `${service.origin}/words`, perSecond)
      const { page, problems } = await openDashboard(t, `http://127.0.0.1:${service.adminPort}/dashboard`)

      const shownRate = async () => Number(await page.locator('.figure-rate dd').innerText())
      await until(async () => Math.abs((await shownRate()) / perSecond - 1) <= 0.2, { seen: shownRate })
      const well = await tileOf(page, 'shaky')
      t.match(well, { health: 'healthy', breaker: 'closed' })

      const failsAt = performance.now()
      shaky.answerWith(503)
      await until(async () => (await tileOf(page, 'shaky')).health === 'failing')
      const coloured = performance.now() - failsAt
      t.ok(coloured <= colourWithin, `the tile is failing after ${Math.round(coloured)} ms`)
      const ill = await tileOf(page, 'shaky')
      t.not(ill.colour, well.colour, 'its colour has changed')
      await until(async () => (await tileOf(page, 'shaky')).breaker === 'open')
      const opened = performance.now() - failsAt
      t.ok(opened <= breakerWithin, `the breaker is open after ${Math.round(opened)} ms`)
      t.equal((await tileOf(page, 'steady')).health, 'healthy', 'the other upstream')
      await until(async () => (await page.locator('#detail-title').innerText()).includes('shaky'))
      await until(async () => /partial/.test(await page.locator('.users').innerText()))
      t.same(await problems(), [])
    },
  )
