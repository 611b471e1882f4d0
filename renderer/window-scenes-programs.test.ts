import { auditScenes } from "./testing/audit-scenes.ts";
import { programScenes } from "./testing/program-scenes.ts";
import { testScenes } from "./testing/sound-scenes.ts";

testScenes("programs and the audit log", [...programScenes, ...auditScenes]);
