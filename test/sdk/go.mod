module github.com/understudy-suite/understudy/test/sdk

go 1.26

require github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common v1.3.210
