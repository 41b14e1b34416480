/** Maintenance windows: when something may change. Weekdays and times are UTC, so a window never shifts. */
import { after, type Instant, instant, type Milliseconds } from './instant.ts';
import { type MaintenanceWindow, WEEKDAYS } from './spec.ts';

const MINUTE: Milliseconds = 60_000;
const DAY: Milliseconds = 24 * 60 * MINUTE;
/** 1970-01-01 was a Thursday. */
const FIRST_WEEKDAY = 4;
/** A window stays open for a week at most, so one that opened earlier is closed. */
const LOOK_BACK_DAYS = 7;

/** Whether any window is open; without windows it is always. */
export function isWindowOpen(windows: readonly MaintenanceWindow[], now: Instant): boolean {
  if (windows.length === 0) return true;
  return windows.some((window) =>
    openings(window, now, -LOOK_BACK_DAYS, 0).some(
      (opens) => opens <= now && now < after(opens, window.duration),
    ),
  );
}

/** When the next window opens after `now`; undefined without windows. */
export function nextOpening(windows: readonly MaintenanceWindow[], now: Instant): Instant | undefined {
  const next = windows.flatMap((window) => openings(window, now, 0, LOOK_BACK_DAYS).filter((at) => at > now));
  return next.toSorted((one, other) => one - other)[0];
}

function openings(window: MaintenanceWindow, now: Instant, fromDay: number, toDay: number): Instant[] {
  const today = Math.floor(now / DAY);
  const days = Array.from({ length: toDay - fromDay + 1 }, (_, index) => today + fromDay + index);
  return days
    .filter((day) => day >= 0 && window.days.includes(weekdayOf(day)))
    .map((day) => instant(day * DAY + window.startMinute * MINUTE));
}

function weekdayOf(day: number): (typeof WEEKDAYS)[number] {
  return WEEKDAYS[(day + FIRST_WEEKDAY) % WEEKDAYS.length] ?? 'Sunday';
}
