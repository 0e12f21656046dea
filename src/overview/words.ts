/** Returns a duration in words: `42 s`, `2 min 10 s`, `3 h 5 min`. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** Returns a part in percent. It has a decimal below 10 %, and a part of all is never shown as 100 %. */
export function percentText(part: number, whole: number): string {
  if (part === 0 || part >= whole) return part === 0 ? '0 %' : '100 %'
  const percent = (part / whole) * 100
  return `${percent < 10 ? Math.max(percent, 0.1).toFixed(1) : Math.min(Math.round(percent), 99)} %`
}

/** Returns a number per second in words, with a decimal below 10. */
export function rateText(perSecond: number): string {
  const rate =
    perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond).toLocaleString('en-US').replaceAll(',', ' ')
  return `${rate} runs/s`
}

/** Returns the time of day in UTC: `01:02:03 UTC`. */
export function timeText(at: number): string {
  return `${new Date(at).toISOString().slice(11, 19)} UTC`
}
