import type { Test } from 'tap'
import type { AdminAppOptions } from '../../../../src/admin/admin-app.ts'
import { addDashboardRoutes } from '../../../../src/admin/dashboard/dashboard-routes.ts'
import { LiveOverview, type LiveOverviewOptions } from '../../../../src/overview/live-overview.ts'
import type { Watched } from '../../../../src/overview/overview.ts'
import { watched } from '../../../overview/helpers/samples.ts'
import { serveAdminApp, source } from '../../helpers/served-admin-app.ts'

export interface ServedDashboardOptions {
  readonly watched?: Watched
  readonly recentRuns?: LiveOverviewOptions['recentRuns']
  readonly key?: string
  readonly limits?: AdminAppOptions['limits']
}

/** Serves the dashboard of a service that the test plays, on the admin app. */
export async function serveDashboard(t: Test, options: ServedDashboardOptions = {}) {
  const isWatched: boolean[] = []
  const { key, recentRuns, limits } = options
  const live = new LiveOverview({
    watched: options.watched ?? watched,
    recentRuns,
    onWatched: each => isWatched.push(each),
  })
  const served = await serveAdminApp(t, {
    metrics: { source, key },
    routes: [app => addDashboardRoutes(app, { live, version: '1.2.3', key })],
    ...(limits && { limits }),
  })
  return { ...served, live, isWatched }
}
