import type { CpuFigures } from './measure-cpu.ts'

/** The limits of the benchmark, as ratios unless the name says otherwise. */
export const cpuLimits = {
  /** Whole answers to the peak. */
  wholeToPeak: 0.8,
  /** The p99 of the whole answers to the p99 at half of the peak. */
  p99ToCalm: 3,
  /** The CPU time of a refusal to that of an answer. */
  refusalToAnswer: 0.07,
  recoveredMs: 2000,
} as const

export const cpuHead = [
  'fan-out',
  'peak /s',
  'offered',
  'whole',
  'of peak',
  'refused',
  'other',
  'calm p50, p99 ms',
  'p50, p99 ms',
  'p99 / calm',
  'answer µs',
  'refusal µs',
  'refusal / answer',
  'recovered ms',
]

/** Returns the row of the table. */
export function cpuRow(figures: CpuFigures): string[] {
  const { wholeToPeak, p99ToCalm, refusalToAnswer } = ratiosOf(figures)
  return [
    String(figures.fanout),
    figures.peak.toFixed(0),
    figures.offered.toFixed(0),
    figures.wholeMean.toFixed(0),
    wholeToPeak.toFixed(2),
    figures.refused.toFixed(0),
    String(figures.other),
    `${figures.calmP50Ms.toFixed(1)}, ${figures.calmP99Ms.toFixed(1)}`,
    `${figures.p50Ms.toFixed(1)}, ${figures.p99Ms.toFixed(1)}`,
    p99ToCalm.toFixed(2),
    figures.answerMicros.toFixed(0),
    figures.refusalMicros.toFixed(1),
    refusalToAnswer.toFixed(3),
    figures.recoveredMs.toFixed(0),
  ]
}

/** Returns a sentence per limit that the figures do not keep. */
export function cpuViolations(figures: CpuFigures): string[] {
  const { wholeToPeak, p99ToCalm, refusalToAnswer } = ratiosOf(figures)
  const { recoveredMs } = figures
  return [
    ...(wholeToPeak < cpuLimits.wholeToPeak
      ? [`${wholeToPeak.toFixed(2)} of the peak is answered whole, not ${cpuLimits.wholeToPeak}`]
      : []),
    ...(p99ToCalm > cpuLimits.p99ToCalm
      ? [`the p99 of whole answers is ${p99ToCalm.toFixed(2)} times the calm p99, not ${cpuLimits.p99ToCalm}`]
      : []),
    ...(refusalToAnswer > cpuLimits.refusalToAnswer
      ? [`a refusal costs ${refusalToAnswer.toFixed(3)} of an answer, not ${cpuLimits.refusalToAnswer}`]
      : []),
    ...(recoveredMs >= cpuLimits.recoveredMs
      ? [`recovery took ${recoveredMs.toFixed(0)} ms, not below ${cpuLimits.recoveredMs} ms`]
      : []),
  ]
}

function ratiosOf({ peak, wholeMean, p99Ms, calmP99Ms, refusalMicros, answerMicros }: CpuFigures) {
  return { wholeToPeak: wholeMean / peak, p99ToCalm: p99Ms / calmP99Ms, refusalToAnswer: refusalMicros / answerMicros }
}
