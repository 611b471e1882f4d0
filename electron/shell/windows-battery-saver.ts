/**
 * Windows' battery saver, which Electron does not tell. Invariant: koffi is loaded on Windows only, and where it cannot be
 * loaded nothing is known and nothing fails.
 */

/** `SYSTEM_POWER_STATUS`: four bytes, of which the fourth is `SystemStatusFlag` (1: battery saver is on), and two DWORDs. */
const statusBytes = 12;
const systemStatusFlagAt = 3;

type GetSystemPowerStatus = (status: Buffer) => number;

/** The function that asks Windows, or undefined where it cannot be asked. */
export async function openBatterySaver(platform: NodeJS.Platform = process.platform): Promise<(() => boolean) | undefined> {
  if (platform !== "win32") return undefined;
  try {
    const { load } = await import("koffi");
    const getSystemPowerStatus: GetSystemPowerStatus = load("kernel32.dll").func("GetSystemPowerStatus", "int", ["void *"]);
    return () => isOn(getSystemPowerStatus);
  } catch {
    return undefined;
  }
}

/** https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-getsystempowerstatus: 0 when it failed. */
function isOn(getSystemPowerStatus: GetSystemPowerStatus): boolean {
  const status = Buffer.alloc(statusBytes);
  return getSystemPowerStatus(status) !== 0 && status[systemStatusFlagAt] === 1;
}
